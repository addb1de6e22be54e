#!/usr/bin/env bash
# Reasons of simulated days, by the shipped models: merging and data come out again in Python, and most alerts at the top have two or
# more; by one answer, and by twenty-five of which some say one code of every alert, some nothing that anybody knows.
#
# AML_BIN_DIR names the programs, else they are built. AML_READERS_DIR keeps the virtual environment. AML_REASONS_DAYS, _ALERTS and
# _SEED say which days.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=scripts/env.sh
. "$root/scripts/env.sh"
tools=${AML_READERS_DIR:-$HOME/.cache/aml-readers}/pyarrow-26
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
least=90

command -v python3 >/dev/null || { echo "skipped: no python3"; exit 0; }
if ! [ -e "$tools/complete" ]; then
    rm -rf "$tools"
    if ! { python3 -m venv "$tools" && "$tools/bin/pip" install --quiet --disable-pip-version-check 'pyarrow>=26,<27' pandas &&
        touch "$tools/complete"; } 2>"$work/log"; then
        echo "skipped: pyarrow: $(tail -n 1 "$work/log")"
        exit 0
    fi
fi
if [ -z "${AML_BIN_DIR:-}" ]; then
    cd "$root"
    build_test_programs
    AML_BIN_DIR=$programs
fi

compare() { # day, answers
    local day=$1 said=$work/said canonical=$work/canonical.json
    shift
    local asked=() voiced=()
    for answer in "$@"; do asked+=(--answer "$answer"); done
    "$AML_BIN_DIR/aml-subnet" reasons --batch "$day" "${asked[@]}" --out "$canonical" >"$said"
    grep -v '^voice' "$said"
    while IFS= read -r line; do voiced+=("$line"); done < <(sed -n 's/^voice *\(.*\): \(.*\)$/\2:\1/p' "$said")
    "$tools/bin/python" "$here/reasons.py" "$day" "$canonical" "${voiced[@]}"
    local share
    share=$(sed -n 's/^top .*(\([0-9.]*\) %).*/\1/p' "$said")
    awk -v share="$share" -v least="$least" 'BEGIN { exit !(share >= least) }' ||
        { echo "$(basename "$day"): two reasons at $share % of the top tenth, $least % are wanted"; exit 1; }
}

"$AML_BIN_DIR/aml-miner-batch" synth "$work/data" --days "${AML_REASONS_DAYS:-2}" --alerts "${AML_REASONS_ALERTS:-500}" \
    --seed "${AML_REASONS_SEED:-7}" >/dev/null
for day in "$work"/data/*; do
    answers=$work/answers-$(basename "$day")
    "$AML_BIN_DIR/aml-miner-batch" score "$day" --out "$answers" --models "$root/trained_models" --signing-key "$work/key" >/dev/null
    mkdir "$answers/said"
    "$tools/bin/python" "$here/reasons_answers.py" "$answers/scores.parquet" "$answers/said"
    compare "$day" "$answers/said/00.json"
    compare "$day" "$answers"/said/*.json
done
