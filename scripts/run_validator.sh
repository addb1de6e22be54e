#!/usr/bin/env bash
# Starts the validator after a look at configuration, hotkey, source and ledger.
#
#   scripts/run_validator.sh --netuid N --wallet.name W --wallet.hotkey H --validator.sot DIR [more flags of `aml-subnet validator`]
#
# AML_BIN_DIR names the directory of the programs; without it they are built, which takes a moment when they are there.
# All arguments go to `aml-subnet validator`.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/env.sh
. "$root/scripts/env.sh"
if [ -n "${AML_BIN_DIR:-}" ]; then
    bin=$AML_BIN_DIR
else
    bin=$CARGO_TARGET_DIR/release
    [ -x "$bin/aml-subnet" ] || echo "building, the first time for long" >&2
    # Without the other crate's trainer, which needs a C++ library. Also when the program is there: it may be a test build.
    cargo build --release --manifest-path "$root/Cargo.toml" -p aml-subnet
fi
checked=()
for flag in "$@"; do
    # These two say what to do after the check.
    [ "$flag" = --once ] || [ "$flag" = --check ] || checked+=("$flag")
done
"$bin/aml-subnet" validator --check "${checked[@]+"${checked[@]}"}"
exec "$bin/aml-subnet" validator "$@"
