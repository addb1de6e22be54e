#!/usr/bin/env bash
# Readers in Python that were written from the pages make of every conformance vector what the code makes of it.
set -euo pipefail
cd "$(dirname "$0")/../.."

command -v python3 >/dev/null || { echo "skipped: no python3"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tools=${AML_CONFORMANCE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/aml-conformance}
if ! [ -e "$tools/complete" ]; then
  rm -rf "$tools"
  if ! { python3 -m venv "$tools" &&
    "$tools/bin/pip" install --quiet --disable-pip-version-check numpy cryptography zstandard py-sr25519-bindings pyarrow &&
    touch "$tools/complete"; } 2>"$work/log"; then
    echo "skipped: the readers' packages: $(tail -n 1 "$work/log")"
    exit 0
  fi
fi
status=0
"$tools/bin/python" conformance/check.py >"$work/told" || status=$?
cat "$work/told"
# A vector that is changed has to be noticed, or the readers look at nothing.
cp -r conformance scripts "$work/"
for name in btauth answers sealed receipts receipts_v2 v10 scoring_v1 scoring_v2 evidence batches; do
  "$tools/bin/python" - "$work/conformance/$name.json" <<'EOF'
import json, pathlib, sys

path = pathlib.Path(sys.argv[1])
file = json.loads(path.read_text())
case = next(case for case in file["cases"] if case.get("do", "verify") != "sign" and "refused" not in case["expected"])
expected = case["expected"]
# One value of what is expected, whatever the file has.
place = expected.get("verdicts") and next(one for one in expected["verdicts"].values() if one["counts"])
place, name = (place, "tier1") if place else (expected, next(iter(expected)))
place[name] = 0.123
path.write_text(json.dumps(file))
EOF
  if "$tools/bin/python" "$work/conformance/check.py" "$name.json" >"$work/told" 2>&1; then
    echo "FAILED: $name.json was changed, and its reader said nothing"
    status=1
  fi
done
passed=$([ "$status" = 0 ] && echo 1 || echo 0)
printf '%d passed, %d failed\n' "$passed" "$((1 - passed))"
exit "$status"
