//! Settings of the server: defaults, file, environment, flags.
