#!/usr/bin/env bash
# The lines of docs/first_subnet.md, copied one after the other, on free ports.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
# shellcheck source=scripts/env.sh
. scripts/env.sh
if [ -n "${AML_BIN_DIR:-}" ]; then programs=$(realpath -e "$AML_BIN_DIR"); else build_test_programs >/dev/null; fi
# shellcheck source=scripts/demo/lib.sh
. scripts/demo/lib.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a ports < <(free_ports 9944 8001 8002 8003 8091 8092 8093 8191 8192 8193 8100)
{
  echo 'set -euo pipefail'
  awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside' docs/first_subnet.md
} >"$work/lines.sh"
# The page counts its ports from 1 to 3; here each is a free one.
declare -A port=()
for n in 1 2 3; do port[800$n]=${ports[n]} port[809$n]=${ports[3 + n]} port[819$n]=${ports[6 + n]}; done
{
  printf 'set -euo pipefail\ndeclare -A port=('
  for name in "${!port[@]}"; do printf '[%s]=%s ' "$name" "${port[$name]}"; done
  printf ')\n'
  sed -E -e "s/\b9944\b/${ports[0]}/g" -e "s/\b8100\b/${ports[10]}/g" -e 's/\b(800|809|819)\$n/${port[\1$n]}/g' "$work/lines.sh"
} >"$work/run.sh"
unset DATABASE_URL NETUID LOG_LEVEL MINER_API_URL AML_SUBNET_CONFIG "${!BT_@}"
if ! HOME=$work PATH=$programs:$PATH timeout 300 bash "$work/run.sh" >"$work/log" 2>&1; then
  tail -n 40 "$work/log" "$work"/aml-first-subnet/*.log
  echo "first_subnet: the lines of docs/first_subnet.md do not lead to a running subnet" >&2
  exit 1
fi
grep -q accepted "$work/log" && grep -q '"ready":true' "$work/log" || { cat "$work/log"; echo "first_subnet: no submission was accepted" >&2; exit 1; }
echo "first_subnet: the lines of docs/first_subnet.md lead to a running subnet"
