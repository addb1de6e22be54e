#!/usr/bin/env bash
# Measures pages and read API over a ledger with a year of rounds, the newest with 50,000 alerts: `aml-subnet pages` on SQLite, and on
# PostgreSQL where there is one. Fails when a 99th percentile of 200 requests is above 100 ms.
#
#   scripts/bench_pages.sh              as above; two minutes to make the ledger, one for each database
#   scripts/bench_pages.sh --load       many readers at once too, with oha where it is installed
#   scripts/bench_pages.sh --quick      30 rounds, 5,000 alerts, 50 requests
#
# AML_BIN_DIR names programs that are built already, else optimised ones are built. AML_READERS_DIR keeps the virtual environment of
# pyarrow: without it the newest day has no batch, so that its pages have no evidence and no clusters.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
# shellcheck source=scripts/env.sh
. scripts/env.sh

rounds=365 alerts=50000 requests=200 load=no
while [ $# -gt 0 ]; do
  case "$1" in
    --quick) rounds=30 alerts=5000 requests=50 ;;
    --load) load=yes ;;
    -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "bench_pages: unknown argument $1 (try --help)" >&2; exit 2 ;;
  esac
  shift
done
if [ -z "${AML_BIN_DIR:-}" ]; then
  build_programs
  AML_BIN_DIR=$programs
fi
subnet=$AML_BIN_DIR/aml-subnet
work=$(mktemp -d)
pids=()
end() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap end EXIT
# PostgreSQL has a user of its own.
chmod 755 "$work"

python=python3 with_batch=()
pyarrow=${AML_READERS_DIR:-$HOME/.cache/aml-readers}/pyarrow-26
if [ -e "$pyarrow/complete" ] && [ -x "$AML_BIN_DIR/aml-miner-batch" ]; then
  python=$pyarrow/bin/python
  "$AML_BIN_DIR/aml-miner-batch" synth "$work/synth" --days 1 --alerts "$alerts" --addresses $((alerts * 3)) --seed 5 >/dev/null
  mkdir -p "$work/data/batches"
  mv "$work"/synth/* "$work/data/batches/2026-01-30_w30"
  with_batch=(--batch "$work/data/batches/2026-01-30_w30")
else
  echo "skipped: the newest day's batch (scripts/checks/readers.sh installs pyarrow)"
  mkdir -p "$work/data"
fi
"$python" scripts/bench_pages.py make "$work/export" --rounds "$rounds" --alerts "$alerts" --settled "${with_batch[@]}"

measure() { # name, url of the ledger
  local log=$work/$1.log address
  echo "== $1"
  "$subnet" import --database-url "$2" "$work/export" >/dev/null
  DATABASE_URL=$2 "$subnet" pages --netuid 1 --hotkey 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY --validator.listen 127.0.0.1:0 \
    --validator.data_dir "$work/data" >"$log" 2>&1 &
  pids+=($!)
  until address=$(grep -oE '127\.0\.0\.1:[0-9]+' "$log" | head -n 1) && [ -n "$address" ]; do
    kill -0 "${pids[-1]}" || { cat "$log"; exit 1; }
    sleep 0.2
  done
  "$python" scripts/bench_pages.py measure "http://$address" --requests "$requests" || failed=yes
  if [ "$load" = yes ]; then
    if command -v oha >/dev/null; then
      for path in / /page/rounds "/page/alerts/1-2026-01-30-30?severity=critical&sort=-deviation" "/canonical/latest?limit=100" /rounds; do
        echo "-- oha -z 10s -c 32 '$path'"
        oha --no-tui -z 10s -c 32 "http://$address$path" | grep -E 'Success rate|Requests/sec|99.00%|50.00%'
      done
    fi
    "$python" scripts/bench_pages.py load "http://$address" --connections 32
  fi
  grep -E 'VmHWM' "/proc/${pids[-1]}/status" || true
  kill "${pids[-1]}"
  wait "${pids[-1]}" 2>/dev/null || true
  unset 'pids[-1]'
}

failed=no
measure sqlite "sqlite://$work/ledger.sqlite"
postgres=$(find /usr/lib/postgresql/*/bin -name postgres 2>/dev/null | sort | tail -n 1 || true)
if [ -n "$postgres" ]; then
  bin=$(dirname "$postgres") as=()
  mkdir "$work/pg"
  if [ "$(id -u)" = 0 ]; then
    owner=$(id -u postgres 2>/dev/null || id -u nobody)
    chown "$owner" "$work/pg"
    as=(setpriv "--reuid=$owner" --regid="$(id -g "$owner")" --clear-groups)
  fi
  (cd "$work/pg" && "${as[@]}" "$bin/initdb" --no-sync --auth=trust --no-locale --encoding=UTF8 --username=aml -D "$work/pg/data" >/dev/null)
  (cd "$work/pg" && exec "${as[@]}" "$bin/postgres" -c listen_addresses= -c "unix_socket_directories=$work/pg" -D "$work/pg/data" >"$work/pg.log" 2>&1) &
  pids+=($!)
  until "$bin/psql" -h "$work/pg" -U aml -d postgres -c 'CREATE DATABASE ledger' >/dev/null 2>&1; do
    kill -0 "${pids[0]}" || { cat "$work/pg.log"; exit 1; }
    sleep 0.2
  done
  measure postgresql "postgres://aml@localhost/ledger?host=$work/pg"
else
  echo "skipped: PostgreSQL is not installed"
fi
[ "$failed" = no ]
