#!/usr/bin/env bash
# Every table that our programs write opens in the readers that people have, and what those write is read by ours: pandas with pyarrow 14, 17, 21
# and 26, polars, DuckDB and fastparquet. Skips with a reason what cannot be installed.
#
# AML_READERS_DIR keeps the virtual environments; AML_BIN_DIR names the programs, else they are built.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=scripts/env.sh
. "$root/scripts/env.sh"
venvs=${AML_READERS_DIR:-$HOME/.cache/aml-readers}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

command -v python3 >/dev/null || { echo "skipped: no python3"; exit 0; }

# A virtual environment, made once; fails where its packages cannot be had.
environment() { # name, packages
    local dir=$venvs/$1
    shift
    if [ ! -e "$dir/complete" ]; then
        rm -rf "$dir"
        python3 -m venv "$dir" && "$dir/bin/pip" install --quiet --disable-pip-version-check "$@" && touch "$dir/complete"
    fi
}

if [ -z "${AML_BIN_DIR:-}" ]; then
    cd "$root"
    build_test_programs
    AML_BIN_DIR=$programs
fi
batch=$AML_BIN_DIR/aml-miner-batch
"$batch" synth "$work/data" --days 1 --alerts 60 --addresses 500 --seed 3 >/dev/null
models=$root/trained_models
"$batch" score "$work"/data/*_w7 --out "$work/answers" --models "$models" --signing-key "$work/key" >/dev/null

check() { # name, packages
    local name=$1
    shift
    if ! environment "$name" "$@" 2>"$work/log"; then
        echo "skipped: $name: $(tail -n 1 "$work/log")"
        return
    fi
    if "$venvs/$name/bin/python" "$here/readers.py" "$batch" "$work"/data/*_w7 "$work/answers" "$work/$name"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $name"
    fi
}
check pyarrow-14 'pyarrow==14.0.2' 'numpy<2' 'pandas<2.3'
check pyarrow-17 'pyarrow==17.0.0' 'pandas<3'
check pyarrow-21 'pyarrow==21.0.0' 'pandas<3'
check pyarrow-26 'pyarrow>=26,<27' pandas
check polars polars
check duckdb duckdb
check fastparquet fastparquet pandas
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
