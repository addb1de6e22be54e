#!/usr/bin/env bash
# Packs of a sealed season hold, and whatever is changed in one is noticed.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tools=${AML_EVIDENCE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/aml-evidence}
if ! [ -x "$tools/bin/python" ]; then
  python3 -m venv "$tools"
  "$tools/bin/pip" install --quiet numpy cryptography zstandard py-sr25519-bindings
fi
AML_EXPORT_EVIDENCE=$work/season cargo nextest run -p aml-subnet --run-ignored all -E 'test(voices_of_a_season_come_with_the_moments)'
"$tools/bin/python" scripts/checks/evidence.py "$work/season"
