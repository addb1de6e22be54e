//! Neurons of a subnet with rules of its own: `aml-subnet` with all of its subcommands, under rules v2 with two constants changed.

use std::process::ExitCode;

use aml_subnet::{CustomRules, Program};

fn main() -> ExitCode {
    let mut rules = CustomRules::like_v2("ours-1", 1001);
    // Whoever is new gets more, and for longer.
    rules.paying.newcomer = 0.002;
    rules.paying.few = 25;
    Program::new().rules(rules).run()
}
