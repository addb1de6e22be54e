#!/usr/bin/env bash
# Starts the validator, built if it is not there yet, after a look at configuration, hotkey, source and ledger.
#
#   scripts/run_validator.sh --netuid N --wallet.name W --wallet.hotkey H --validator.sot DIR [more flags of `aml-subnet validator`]
#
# AML_BIN_DIR names the directory of the programs; without it they are built. All arguments go to `aml-subnet validator`.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/env.sh
. "$root/scripts/env.sh"
bin=${AML_BIN_DIR:-$CARGO_TARGET_DIR/release}
if [ ! -x "$bin/aml-subnet" ]; then
    echo "building (once): $bin/aml-subnet is missing" >&2
    cargo build --release --manifest-path "$root/Cargo.toml" -p aml-subnet
fi
checked=()
for flag in "$@"; do
    # These two say what to do after the check.
    [ "$flag" = --once ] || [ "$flag" = --check ] || checked+=("$flag")
done
"$bin/aml-subnet" validator --check "${checked[@]+"${checked[@]}"}"
exec "$bin/aml-subnet" validator "$@"
