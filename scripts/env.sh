#!/usr/bin/env bash
# Sourced by the other scripts: PATH, the build directory, and the two selections in which programs are built. Whoever
# selects other packages or features compiles most dependencies a second time.
export PATH="${AML_TOOLS_DIR:-$HOME/.cache/aml-tools}/bin:$HOME/.cargo/bin:$PATH"
# One build directory outside of the checkout serves every clone on a machine.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${AML_TARGET_DIR:-$HOME/.cache/aml-target}}"

# Programs as the tests run them, with failpoints, in $programs. Examples depend on what tests depend on: without them
# cargo would choose fewer features, and after the tests nothing of this is compiled.
# shellcheck disable=SC2034
build_test_programs() {
  cargo build --workspace --bins --examples
  programs=$CARGO_TARGET_DIR/debug
}

# Programs for use, in $programs: all of them with all features. Takes a moment where nothing has changed, and makes sure
# that what lies there is no test build.
# shellcheck disable=SC2034
build_programs() {
  cargo build --release --workspace --bins
  programs=$CARGO_TARGET_DIR/release
}
