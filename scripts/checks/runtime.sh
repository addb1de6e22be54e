#!/usr/bin/env bash
# The chain client and the localnet agree with a real Subtensor runtime.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
# What the public SDK was generated from, where it is installed (scripts/checks/interop.sh does that).
layer=$(find "${XDG_CACHE_HOME:-$HOME/.cache}/aml-interop" -maxdepth 6 -type d -path '*/sdk-11*/bittensor/_generated' 2>/dev/null | sort | tail -n 1)
if [ -n "$layer" ]; then
  # shellcheck source=scripts/env.sh
  . "$here/../env.sh"
  build_test_programs
  # shellcheck disable=SC2154
  python3 "$here/sdk_layer.py" --subnet "$programs/aml-subnet" --layer "$layer"
else
  echo "skipped: SDK 11 is not installed (scripts/checks/interop.sh installs it)"
fi
spec="${AML_CHAIN_SPEC:-${AML_SHARED:-$here/../../../shared}/chain/subtensor-218-raw-spec.json}"
if [ ! -f "$spec" ]; then
  echo "skipped: no chain specification at $spec (set AML_CHAIN_SPEC or AML_SHARED)"
  exit 0
fi
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "skipped: node 20 with npm is not installed"
  exit 0
fi
# shellcheck source=scripts/env.sh
. "$here/../env.sh"
exec "$here/../chopsticks.sh" cargo test --workspace --test it the_real_runtime
