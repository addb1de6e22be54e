//! Batch directories: read, verify, write, download, synthesise, import.
