#!/usr/bin/env bash
# Measures aml-miner-serve side by side with the Python reference, interleaved, in one run, and writes
# docs/benchmarks.md. Both serve the same model files.
#
#   ./scripts/bench.sh              everything: kernels (criterion) and both servers, about 20 minutes
#   ./scripts/bench.sh --quick      fewer requests and no criterion: a first look
#   ./scripts/bench.sh --cases single,b10k --no-kernels
#   ./scripts/bench.sh --no-wait    does not wait for other processes to be idle
#
# Needs the reference beside the checkout (AML_SHARED, else ../shared), and its environment and data under
# AML_BENCH_HOME (else ~/.cache/aml-bench), made as its README says. SERVER may name a server that is built already.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'bench: %s\n' "$*" >&2; }
fail() { say "$1"; exit 1; }

shared="${AML_SHARED:-../shared}"
home="${AML_BENCH_HOME:-$HOME/.cache/aml-bench}"
rounds=4 scale=1.0 quiet=240 kernels=yes cases=
while [ $# -gt 0 ]; do
  case "$1" in
    --quick) rounds=2 scale=0.25 quiet=0 kernels=no ;;
    --cases) cases="${2:?--cases needs names}"; shift ;;
    --no-kernels) kernels=no ;;
    --no-wait) quiet=0 ;;
    -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) fail "unknown argument $1 (try --help)" ;;
  esac
  shift
done

python="$home/refenv/bin/python"
[ -f "$shared/peer/measure.py" ] || { say "skipped: no reference at $shared/peer"; exit 0; }
[ -x "$python" ] || fail "no Python environment at $home/refenv: see $shared/peer/README.md"
[ -f "$home/data/b50000/body.json" ] || fail "no data at $home/data: see $shared/peer/README.md"
# shellcheck source=scripts/env.sh
. scripts/env.sh

if [ -z "${SERVER:-}" ]; then
  say "building"
  build_programs
  SERVER=$programs/aml-miner-serve
fi
[ -x "$SERVER" ] || fail "no server at $SERVER"

bundle="$home/bundle"
python3 scripts/peer_bundle.py "$home/data/models" "$bundle"
results="$home/results"
mkdir -p "$results"

if [ "$kernels" = yes ]; then
  say "kernels"
  AML_BENCH_MODEL="$bundle/alert_scorer_v1.0.0.txt" AML_BENCH_DATA="$home/data" AML_BENCH_BUNDLE="$bundle" \
    cargo bench --quiet --workspace --bench trees --bench kernels | tee "$results/kernels.txt"
fi

common="API_HOST=127.0.0.1 API_PORT={port} LOG_LEVEL=warn MINER_SIGNING_KEY_FILE=$results/receipt.key"
models="ALERT_SCORER_PATH=$bundle/alert_scorer_v1.0.0.txt ALERT_RANKER_PATH=$bundle/alert_ranker_v1.0.0.txt"
models="$models CLUSTER_SCORER_PATH=$bundle/cluster_scorer_v1.0.0.txt"
say "servers, side by side"
"$python" "$shared/peer/measure.py" --data "$home/data" --rounds "$rounds" --scale "$scale" --quiet "$quiet" \
  ${cases:+--cases "$cases"} --out "$results/servers.json" \
  --target ref=reference --target "rust=exec env $common $models $(realpath "$SERVER")" | tee "$results/servers.md"

say "without explanations, and growth"
"$python" scripts/bench_more.py "$shared/peer" "$home/data" "$results/more.json" \
  "exec env $common $models $(realpath "$SERVER")"

"$python" scripts/bench_report.py "$results" docs/benchmarks.md >"$results/benchmarks.md"
mv "$results/benchmarks.md" docs/benchmarks.md
say "wrote docs/benchmarks.md"
