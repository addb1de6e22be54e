#!/usr/bin/env bash
# Writes the conformance vectors anew from the code, and shows what that changed.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/env.sh
. scripts/env.sh
AML_WRITE_CONFORMANCE=1 cargo test --quiet --workspace --test it conformance
git --no-pager diff --stat -- conformance
