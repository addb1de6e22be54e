#!/usr/bin/env bash
# Says whether neurons of this version work with a runtime of Subtensor, for everything that they use of it: before the chain
# is upgraded, and without a node.
#
#   ./scripts/runtime_check.sh FILE [--json]
#
# FILE is metadata (SCALE of version 14 to 16, as bytes or digits, or a node's answer), the program of a runtime (WASM, as it is
# built or compressed), or a raw chain specification. A program is run under Chopsticks (Node 20; installed into a cache by
# scripts/chopsticks.sh) and asked for its metadata. AML_BIN_DIR names built programs; else aml-subnet is built as for use.
# Exit codes: 0 a neuron works, 1 it does not, 2 the file is none of these or cannot be run here, 3 the metadata does not
# tell enough.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

wrong() {
  echo "runtime_check: $1" >&2
  exit 2
}
file='' flags=()
for word in "$@"; do
  case "$word" in
    -h | --help) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --json) flags+=(--json) ;;
    -*) wrong "unknown argument $word (try --help)" ;;
    *) [ -z "$file" ] || wrong "one file at a time"; file=$word ;;
  esac
done
[ -n "$file" ] || wrong "which file? (try --help)"
[ -f "$file" ] || wrong "no file $file"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What it is by its first bytes; a specification by its form.
kind() {
  python3 - "$1" "$work/spec.json" <<'PY'
import json, pathlib, sys

file, out = map(pathlib.Path, sys.argv[1:])
CODE = "0x3a636f6465"  # the key of `:code`
raw = file.read_bytes()[: 64 << 20]
text = raw.strip()
try:  # digits
    text = bytes.fromhex(text.removeprefix(b"0x").decode())
except (ValueError, UnicodeDecodeError):
    text = raw
if text.startswith(b"\0asm") or text.startswith(bytes.fromhex("52bc537646db8e05")):
    top = {CODE: "0x" + text.hex()}
    out.write_text(json.dumps({
        "name": "runtime", "id": "runtime", "chainType": "Development", "bootNodes": [], "telemetryEndpoints": None,
        "protocolId": None, "properties": {}, "codeSubstitutes": {}, "genesis": {"raw": {"top": top, "childrenDefault": {}}},
    }))
    print("program")
else:
    try:
        spec = json.loads(raw)
        known = CODE in spec["genesis"]["raw"]["top"]
    except (ValueError, LookupError, TypeError):
        known = False
    if known:
        out.write_bytes(raw)
    print("specification" if known else "metadata")
PY
}

checked=$file
if [ "$(kind "$file")" != metadata ]; then
  command -v node >/dev/null || wrong "it is a program, and Node 20, under which Chopsticks runs it, is not installed"
  command -v npm >/dev/null || wrong "it is a program, and npm, which installs Chopsticks, is not installed"
  # Without what a chain has in storage no block can be made: the program is only asked.
  AML_CHAIN_SPEC=$work/spec.json AML_CHOPSTICKS_BLOCK=no "$here/chopsticks.sh" node "$here/chopsticks/metadata.mjs" "$work/metadata" 2>"$work/log" ||
    { tail -n 5 "$work/log" >&2; wrong "the program could not be run, or has no metadata of version 15"; }
  checked=$work/metadata
fi

if [ -n "${AML_BIN_DIR:-}" ]; then
  bin=$AML_BIN_DIR
else
  # shellcheck source=scripts/env.sh
  . "$here/env.sh"
  cargo build --quiet --release --manifest-path "$here/../Cargo.toml" -p aml-subnet
  bin=$CARGO_TARGET_DIR/release
fi
status=0
"$bin/aml-subnet" chain check-metadata "$checked" "${flags[@]+"${flags[@]}"}" || status=$?
exit "$status"
