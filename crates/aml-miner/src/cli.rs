//! Command lines: arguments in, library calls, text and exit codes out.

pub mod batch;
