#!/usr/bin/env bash
# The typed Python client that openapi-python-client makes of our document is complete, and its calls do what their names say.
#
# AML_CLIENT_DIR keeps the virtual environment; AML_BIN_DIR names the programs, else they are built.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=scripts/env.sh
. "$root/scripts/env.sh"
venv=${AML_CLIENT_DIR:-$HOME/.cache/aml-client}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

command -v python3 >/dev/null || { echo "skipped: no python3"; exit 0; }
if [ ! -e "$venv/complete" ]; then
    rm -rf "$venv"
    if ! { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check openapi-python-client httpx attrs python-dateutil \
        && touch "$venv/complete"; } 2>"$work/log"; then
        echo "skipped: openapi-python-client: $(tail -n 1 "$work/log")"
        exit 0
    fi
fi
if [ -z "${AML_BIN_DIR:-}" ]; then
    cd "$root"
    build_test_programs
    AML_BIN_DIR=$programs
fi

cd "$root"
API_HOST=127.0.0.1 API_PORT=0 LOG_FORMAT=json MINER_SIGNING_KEY_FILE="$work/key" "$AML_BIN_DIR/aml-miner-serve" >"$work/server.log" 2>&1 &
server=$!
url=
for _ in $(seq 100); do
    url=$(sed -n 's/.*"address":"\([^"]*\)".*/http:\/\/\1/p' "$work/server.log" | head -n 1)
    [ -z "$url" ] || break
    kill -0 "$server" || { cat "$work/server.log"; exit 1; }
    sleep 0.1
done
[ -n "$url" ] || { cat "$work/server.log"; exit 1; }

"$venv/bin/python" - "$url" "$work/openapi.json" <<'PY'
import sys, urllib.request
open(sys.argv[2], "wb").write(urllib.request.urlopen(sys.argv[1] + "/openapi.json").read())
PY
# The generator knows no Arrow: such an answer is bytes to it.
printf 'content_type_overrides:\n  application/vnd.apache.arrow.stream: application/octet-stream\n' >"$work/generator.yaml"
PATH="$venv/bin:$PATH" "$venv/bin/openapi-python-client" generate --config "$work/generator.yaml" --path "$work/openapi.json" --output-path "$work/client" >"$work/generate.log" 2>&1 \
    || { cat "$work/generate.log"; exit 1; }
# What the generator cannot express it leaves out with a warning.
if grep -iE 'unable|skipping|cannot|unsupported' "$work/generate.log"; then
    cat "$work/generate.log"
    echo "FAILED: the generator leaves something out"
    exit 1
fi
PYTHONPATH="$work/client" "$venv/bin/python" "$here/client.py" "$url"
echo "1 passed, 0 failed"
