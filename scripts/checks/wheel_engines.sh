#!/usr/bin/env bash
# Days through the wheel on Ray and on Spark give the values of one process, and models of Spark and Dask are adopted. Takes the wheel that
# scripts/checks/wheel.sh made; skips with a reason what is not there.
#
# AML_WHEEL_DIR keeps the virtual environment; AML_WHEEL names another wheel.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
home=${AML_WHEEL_DIR:-$HOME/.cache/aml-wheel}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

wheel=${AML_WHEEL:-$(echo "$home"/wheel/aml_miner-*.whl)}
[ -e "$wheel" ] || { echo "skipped: no wheel: scripts/checks/wheel.sh makes it"; exit 0; }
venv=$home/engines
if [ ! -e "$venv/complete" ]; then
  rm -rf "$venv"
  if ! { python3 -m venv "$venv" && "$venv/bin/python" -m pip install --quiet --disable-pip-version-check numpy pyarrow 'pandas<3' ray pyspark 'xgboost-cpu>=3.2,<4' \
    scikit-learn 'dask[array,distributed]' 'lightgbm>=4.7,<5' && touch "$venv/complete"; } 2>"$work/log"; then
    echo "skipped: the engines: $(tail -n 1 "$work/log")"
    exit 0
  fi
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps "$wheel"
python=$venv/bin/python models=$root/trained_models
cd "$work"
"$python" -c "import aml_miner as aml; aml.simulate('data', days=30, alerts=40, addresses=500, seed=4)"
"$python" "$root/examples/days.py" data --models "$models" --out one

# Whether two directories hold the same rows, bit for bit, in whatever files and order.
same() { # directory, directory
  "$python" - "$1" "$2" <<'PY'
import sys
import pyarrow as pa, pyarrow.parquet as pq
from pathlib import Path
def rows(directory):
    table = pa.concat_tables(pq.read_table(path) for path in sorted(Path(directory).glob("*.parquet")))
    return table.sort_by([("processing_date", "ascending"), ("alert_id", "ascending")]).combine_chunks()
one, other = map(rows, sys.argv[1:])
assert one.column_names == other.column_names and one.num_rows == other.num_rows > 0, (one.num_rows, other.num_rows)
for name in one.column_names:
    left, right = (table.column(name).combine_chunks() for table in (one, other))
    if pa.types.is_list(left.type):
        left, right = left.flatten(), right.flatten()
    if pa.types.is_floating(left.type):
        assert left.to_numpy(zero_copy_only=False).tobytes() == right.to_numpy(zero_copy_only=False).tobytes(), name
    else:
        assert left.to_pylist() == right.to_pylist(), name
PY
}
check() { # name, command...
  local name=$1
  shift
  if "$@" >"$work/out" 2>&1; then
    passed=$((passed + 1))
    echo "ok   $name"
  else
    failed=$((failed + 1))
    echo "FAILED: $name"
    tail -n 30 "$work/out"
  fi
}
on_ray() { "$python" "$root/examples/ray_days.py" data --models "$models" --out ray --cpus 2 && same one ray; }
on_spark() {
  "$python" "$root/examples/spark_days.py" data --models "$models" --out spark --master 'local-cluster[2,1,1024]' --train of_spark --until 2025-09-28 \
    && same one spark && serves of_spark
}
on_dask() { "$python" "$root/examples/dask_lightgbm.py" one --models "$models" --train of_dask --until 2025-09-28 && serves of_dask; }
# Whether a bundle scores a day with probabilities that differ.
serves() { # directory
  "$python" - "$1" <<'PY'
import sys
import aml_miner as aml
from pathlib import Path
scores = aml.Model.load(sys.argv[1]).predict(aml.read_batch(sorted(Path("data").iterdir())[-1]))
assert len(scores) == 40 and scores.min() >= 0 and scores.max() <= 1 and len(set(scores)) > 5
PY
}
check "Ray: the values of one process" on_ray
if command -v java >/dev/null; then
  check "Spark: the values of one process, and a model of XGBoost's estimator" on_spark
else
  echo "skipped: Spark: no Java"
fi
check "Dask: a model of LightGBM" on_dask
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
