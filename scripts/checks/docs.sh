#!/usr/bin/env bash
# Every command in the documentation is run by a test, or says why not.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/env.sh
. scripts/env.sh
if [ -z "${AML_BIN_DIR:-}" ]; then
  build_test_programs
  AML_BIN_DIR=$programs
fi
exec python3 scripts/checks/docs.py --bin "$AML_BIN_DIR"
