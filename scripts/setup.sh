#!/usr/bin/env bash
# Installs what the build and the tests need on Debian or Ubuntu. Safe to run again: what is there is left alone.
#
#   ./scripts/setup.sh                 what a build needs: Rust, a C++ compiler, CMake 3.28 or newer, libclang
#   ./scripts/setup.sh --no-training   without the trainer and its C++ library: Rust and a C compiler are enough
#   ./scripts/setup.sh --tests         and what the tests use beside a build: shellcheck, PostgreSQL, Redis, Chromium,
#                                      and cargo-deny where a registry is reachable
#
# Other scripts source scripts/env.sh afterwards, which puts the installed CMake on PATH.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$1"; exit 1; }

tests=no training=yes
for argument in "$@"; do
  case "$argument" in
    --tests) tests=yes ;;
    --no-training) training=no ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) fail "unknown argument $argument (try --help)" ;;
  esac
done

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "need root to run: $*"
  fi
}

# Debian's name of each command or file that must be there.
missing=()
need_command() { command -v "$1" >/dev/null || missing+=("$2"); }
need_command cc gcc
need_command git git
need_command curl curl
need_command python3 python3
if [ "$training" = yes ]; then
  need_command c++ g++
  need_command make make
  need_command pkg-config pkg-config
  compgen -G '/usr/lib/llvm-*/lib/libclang.so*' >/dev/null || compgen -G '/usr/lib/*/libclang*.so*' >/dev/null ||
    missing+=(libclang-dev)
  # bindgen reads the compiler's own headers (stddef.h and the like) from clang's resource directory.
  compgen -G '/usr/lib/llvm-*/lib/clang/*/include/stddef.h' >/dev/null || missing+=(libclang-dev)
  python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
fi
if [ "$tests" = yes ]; then
  need_command shellcheck shellcheck
  need_command redis-server redis-server
  need_command promtool prometheus
  command -v chromium >/dev/null || missing+=(chromium)
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
fi
if [ "${#missing[@]}" -gt 0 ]; then
  command -v apt-get >/dev/null || fail "please install: ${missing[*]} (this script knows only apt-get)"
  say "installing ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# Rust by rustup, which reads rust-toolchain.toml: Debian's package of it where there is one, else its own installer.
# scripts/env.sh puts its place on PATH.
export PATH="$HOME/.cargo/bin:$PATH"
if ! command -v cargo >/dev/null; then
  say "installing Rust with rustup"
  if command -v apt-cache >/dev/null && [ -n "$(apt-cache madison rustup 2>/dev/null)" ]; then
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends rustup >/dev/null
  else
    installer=$(mktemp)
    trap 'rm -f "$installer"' EXIT
    if ! curl --proto '=https' --tlsv1.2 --fail --silent --show-error --output "$installer" https://sh.rustup.rs ||
      ! sh "$installer" -y --no-modify-path --profile minimal --default-toolchain none >/dev/null; then
      fail "Rust is missing and could not be installed: get it from https://rustup.rs, then run this again"
    fi
  fi
fi
cargo --version >/dev/null ||
  fail "cargo does not run: 'cargo --version' says why (the toolchain of rust-toolchain.toml is needed)"

# LightGBM needs CMake 3.28 or newer; where the system's is older, PyPI's goes into an environment of its own.
new_enough() {
  local version
  version=$("$1" --version 2>/dev/null | sed -n '1s/[^0-9]*\([0-9.]*\).*/\1/p')
  [ -n "$version" ] && [ "$(printf '%s\n3.28\n' "$version" | sort -V | head -n 1)" = 3.28 ]
}
tools="${AML_TOOLS_DIR:-$HOME/.cache/aml-tools}"
if [ "$training" = yes ] && ! new_enough cmake && ! new_enough "$tools/bin/cmake"; then
  say "installing CMake into $tools"
  mkdir -p "$(dirname "$tools")"
  python3 -m venv "$tools"
  "$tools/bin/python" -m pip install --quiet --disable-pip-version-check 'cmake>=3.28,<4'
  new_enough "$tools/bin/cmake" || fail "CMake 3.28 or newer could not be installed into $tools"
fi

# Unoptimised it is built in two to three minutes on two cores, and still done with its checks in ten seconds.
if [ "$tests" = yes ] && ! cargo deny --version >/dev/null 2>&1 && [ ! -x "$tools/bin/cargo-deny" ]; then
  say "installing cargo-deny into $tools"
  env -u CARGO_TARGET_DIR cargo install --quiet --debug --locked --root "$tools" cargo-deny@0.20.2 ||
    say "cargo-deny could not be installed: licences and advisories will not be checked"
fi
say "ready"
