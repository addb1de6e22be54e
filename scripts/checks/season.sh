#!/usr/bin/env bash
# A short season of kills under rules v1 ends as one without (tests play one under v2), Python computes both ledgers again,
# and sees what is changed in one.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
./scripts/season.sh --short --rules v1 --keep "$work/season"
python=${AML_SEASON_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/aml-season}/bin/python
if [ -x "$python" ] && "$python" -c 'import numpy, cryptography, zstandard' 2>/dev/null; then
  "$python" scripts/checks/tampered.py "$work/season/season/tried/export"
fi
