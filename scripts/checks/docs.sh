#!/usr/bin/env bash
# Every command in the documentation is run by a test, or says why not.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/env.sh
[ -f scripts/env.sh ] && . scripts/env.sh
if [ -z "${AML_BIN_DIR:-}" ]; then
  cargo build --quiet -p aml-miner --bins
  cargo build --quiet -p aml-subnet
  AML_BIN_DIR=${CARGO_TARGET_DIR:-target}/debug
fi
exec python3 scripts/checks/docs.py --bin "$AML_BIN_DIR"
