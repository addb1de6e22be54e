//! `aml-subnet`: miner, validator, localnet and their helpers.

fn main() {}
