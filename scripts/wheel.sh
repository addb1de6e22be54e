#!/usr/bin/env bash
# Builds the Python package `aml-miner` as a wheel and, with --sdist, as a source distribution.
#
#   ./scripts/wheel.sh                  dist/aml_miner-…-cp310-abi3-manylinux_2_28_….whl, for Python 3.10 and later
#   ./scripts/wheel.sh --sdist DIR      both, into DIR
#
# maturin, zig and auditwheel come from PyPI into AML_WHEEL_DIR; zig links against glibc 2.28, whatever this machine has, and auditwheel
# has the last word on that. AML_WHEEL_PROFILE chooses another profile of Cargo than release. Ends with 75 where the tools cannot be had.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/env.sh
. "$root/scripts/env.sh"
tools=${AML_WHEEL_DIR:-$HOME/.cache/aml-wheel}/tools
profile=${AML_WHEEL_PROFILE:-release}
# What `pip install` should have to fetch at most.
limit=$((30 * 1000 * 1000))
sdist=no
case "${1:-}" in
  --sdist) sdist=yes; shift ;;
  -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
out=$(mkdir -p "${1:-$root/dist}" && cd "${1:-$root/dist}" && pwd)

if [ ! -e "$tools/complete" ]; then
  rm -rf "$tools"
  if ! { python3 -m venv "$tools" && "$tools/bin/python" -m pip install --quiet --disable-pip-version-check 'maturin>=1.8,<2' ziglang auditwheel && touch "$tools/complete"; }; then
    echo "wheel: maturin, zig and auditwheel cannot be installed" >&2
    exit 75
  fi
fi
export PATH="$tools/bin:$PATH"
cd "$root"
rm -f "$out"/aml_miner-*.whl "$out"/aml_miner-*.tar.gz
maturin build --manifest-path crates/aml-miner/Cargo.toml --profile "$profile" --zig --compatibility manylinux_2_28 --locked --out "$out"
if [ "$sdist" = yes ]; then
  maturin sdist --manifest-path crates/aml-miner/Cargo.toml --out "$out"
fi

wheel=$(echo "$out"/aml_miner-*.whl)
told=$(auditwheel show "$wheel")
case "$told" in
  *'"manylinux_2_28_'* | *'"manylinux_2_17_'* | *'"manylinux_2_2'[0-7]*) ;;
  *) echo "$told" >&2; echo "wheel: auditwheel does not find it good for manylinux_2_28" >&2; exit 1 ;;
esac
bytes=$(stat --format %s "$wheel")
if [ "$bytes" -gt "$limit" ]; then
  echo "wheel: $bytes bytes, at most $limit are wanted" >&2
  exit 1
fi
echo "$wheel: $bytes bytes"
