//! The HTTP API of `aml-miner-serve`.
