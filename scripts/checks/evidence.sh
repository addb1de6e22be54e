#!/usr/bin/env bash
# Packs of a sealed season hold, and whatever is changed in one is noticed.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/env.sh
. scripts/env.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 0; }
tools=${AML_EVIDENCE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/aml-evidence}
if ! [ -e "$tools/complete-2" ]; then
  rm -rf "$tools"
  if ! { python3 -m venv "$tools" &&
    "$tools/bin/pip" install --quiet --disable-pip-version-check numpy cryptography zstandard py-sr25519-bindings 'pyarrow>=26,<27' &&
    touch "$tools/complete-2"; } 2>"$work/log"; then
    echo "skipped: the checker's packages: $(tail -n 1 "$work/log")"
    exit 0
  fi
fi
season=voices_of_a_season_come_with_the_moments
AML_EXPORT_EVIDENCE=$work/season cargo test --workspace --test it "$season" -- --ignored >"$work/log" 2>&1 ||
  { cat "$work/log"; exit 1; }
"$tools/bin/python" scripts/checks/evidence.py "$work/season"
