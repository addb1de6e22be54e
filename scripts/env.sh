#!/usr/bin/env bash
# Sourced by the other scripts: PATH and the build directory.
export PATH="${AML_TOOLS_DIR:-$HOME/.cache/aml-tools}/bin:$HOME/.cargo/bin:$PATH"
# One build directory outside of the checkout serves every clone on a machine.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${AML_TARGET_DIR:-$HOME/.cache/aml-target}}"
