#!/usr/bin/env bash
# Makes a release from a clean clone: programs, tarballs, a Debian package, the wheel, build contexts, a bill of materials,
# notes, SHA-256 sums and a signature over them. docs/releases.md tells how it is verified and what gives the same bytes twice.
#
#   scripts/release.sh --key FILE [--out DIR]       everything for this machine, signed with an ed25519 key of ssh-keygen
#   scripts/release.sh --unsigned --out DIR         everything but the signature
#   scripts/release.sh --seal DIR --key FILE        sums and signature over what lies in DIR, of one machine or of several
#
#   --bins DIR        takes the programs in DIR instead of building them
#   --target TRIPLE   builds for another machine (its linker and C compiler have to be there)
#   --wheel FILE      takes this wheel; --no-wheel leaves it out, else scripts/wheel.sh builds it
set -euo pipefail
umask 022
cd "$(dirname "$0")/.."
root=$PWD
say() { printf 'release: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

out='' bins='' target='' key='' unsigned=no wheel=build seal=''
while [ $# -gt 0 ]; do
  case "$1" in
    --out | --bins | --target | --key | --wheel | --seal)
      [ -n "${2:-}" ] || fail "$1 needs a value"
      declare "${1#--}=$2"
      shift 2
      ;;
    --unsigned) unsigned=yes; shift ;;
    --no-wheel) wheel=none; shift ;;
    -h | --help) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) fail "unknown argument $1 (try --help)" ;;
  esac
done
[ -n "$key" ] || [ "$unsigned" = yes ] || fail "name a key with --key, or say --unsigned"
[ -z "$key" ] || [ -r "$key" ] || fail "the key $key cannot be read"
for tool in git tar gzip sha256sum python3 strip objdump dpkg-deb; do
  command -v "$tool" >/dev/null || fail "$tool is missing"
done
[ -z "$key" ] || command -v ssh-keygen >/dev/null || fail "ssh-keygen is missing (openssh-client)"

# Sums over everything in a folder but themselves, in the order of the names; then the signature.
seal_up() { # folder
  local sums
  rm -f "$1/SHA256SUMS" "$1/SHA256SUMS.sig"
  sums=$(cd "$1" && find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum)
  printf '%s\n' "$sums" >"$1/SHA256SUMS"
  if [ -n "$key" ]; then
    ssh-keygen -q -Y sign -f "$key" -n aml-release "$1/SHA256SUMS" 2>/dev/null || fail "the key $key does not sign"
  fi
}
if [ -n "$seal" ]; then
  [ -d "$seal" ] || fail "$seal is no folder"
  seal_up "$seal"
  say "sealed $seal"
  exit 0
fi

# shellcheck source=scripts/env.sh
. scripts/env.sh
[ -z "$(git status --porcelain)" ] || fail "the clone is not clean: what is released has to be a commit"
commit=$(git rev-parse HEAD)
SOURCE_DATE_EPOCH=$(git show --no-patch --format=%ct HEAD)
export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C
# How hard is compressed: the checks do with less.
level=${AML_RELEASE_LEVEL:-6}
version=$(python3 scripts/release/parts.py version)
host=$(rustc --version --verbose | sed -n 's/^host: //p')
target=${target:-$host}
case "$target" in
  x86_64-*) debian=amd64 ;;
  aarch64-*) debian=arm64 ;;
  *) fail "no release is made for $target" ;;
esac
out=${out:-$root/dist/release-$version}
[ ! -e "$out" ] || fail "$out is there already"
mkdir -p "$(dirname "$out")"
work=$(mktemp -d "$(dirname "$out")/.release.XXXXXX")
trap 'rm -rf "$work"' EXIT
made=$work/made name=aml-$version-$target
mkdir "$made" "$work/src" "$work/bin"
git archive HEAD | tar -x -C "$work/src"

# The same bytes wherever the clone and the caches lie; nothing newer than the oldest processors of the architecture.
build() {
  local remap="--remap-path-prefix=$root=/aml --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
  local places="-ffile-prefix-map=$root=/aml -ffile-prefix-map=${CARGO_HOME:-$HOME/.cargo}=/cargo"
  export CARGO_TARGET_DIR=${AML_RELEASE_BUILD:-$root/target/release-build} AML_GIT_COMMIT=$commit
  export RUSTFLAGS="$remap --remap-path-prefix=$CARGO_TARGET_DIR=/target" CARGO_INCREMENTAL=0
  export CFLAGS="${CFLAGS:-} $places -ffile-prefix-map=$CARGO_TARGET_DIR=/target"
  export CXXFLAGS="$CFLAGS"
  say "building for $target"
  # Two commands: in one, the neurons would link LightGBM.
  cargo build --release --locked --target "$target" --workspace --features redis \
    --bin aml-miner-serve --bin aml-miner-batch --bin aml-miner-train
  cargo build --release --locked --target "$target" -p aml-subnet --features redis
  bins=$CARGO_TARGET_DIR/$target/release
}
given=${bins:+yes}
[ -n "$bins" ] || build

programs=(aml-miner-serve aml-miner-batch aml-miner-train aml-subnet)
for program in "${programs[@]}"; do
  [ -f "$bins/$program" ] || fail "no $program in $bins"
  install -m 0755 "$bins/$program" "$work/bin/$program"
  "${STRIP:-strip}" --strip-all "$work/bin/$program"
  if [ "$target" = "$host" ]; then
    told=$("$work/bin/$program" --version) || fail "$program does not run"
    case "$told" in *" $version" | *" $version "* | *" $version+"*) ;; *) fail "$program is $told, the clone is $version" ;; esac
  fi
done
# A build for tests can be killed by whoever sets its failpoints.
if grep -q AML_FAILPOINT "$bins/aml-subnet"; then
  [ -n "${AML_RELEASE_TEST_BUILD:-}" ] || fail "$bins has a build for tests, which is not for release"
  say "a build for tests: not for release"
fi

pack() { # folder to pack from, name of the file, what
  local from=$1 file=$2
  shift 2
  tar --sort=name --format=gnu --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
    --mode=u+rwX,go+rX,go-w -C "$from" -cf - "$@" | gzip -n "-$level" >"$made/$file"
}
say "packing $name"
mkdir -p "$work/tree/$name"
cp -a "$work/bin" "$work/tree/$name/bin"
(cd "$work/src" && cp -a config conformance deploy docs monitoring trained_models examples LICENSE ./*.md \
  "$work/tree/$name/")
cp -a "$work/src/scripts/install.sh" "$work/tree/$name/"
pack "$work/tree" "$name.tar.gz" "$name"

# What containers are built from, as `docker build - <FILE` takes it, and the whole source.
pack "$work/src" "aml-$version-container.tar.gz" Cargo.toml Cargo.lock rust-toolchain.toml Dockerfile .dockerignore \
  docker-compose.yml .env.example crates config deploy monitoring trained_models LICENSE
mv "$work/src" "$work/aml-$version"
pack "$work" "aml-$version-source.tar.gz" "aml-$version"

say "packing aml_${version}_$debian.deb"
"$work/aml-$version/scripts/release/debian.sh" "$work/aml-$version" "$work/bin" "$version" "$debian" "$made" "$level"

python3 scripts/release/parts.py sbom --target "$target" >"$made/$name.cdx.json"
python3 scripts/release/parts.py licences --target "$target" >"$made/$name.licences.txt"
python3 scripts/release/parts.py notes "$version" >"$made/NOTES.md"
python3 scripts/release/parts.py build --target "$target" --commit "$commit" ${given:+--given} \
  --bins "$work/bin" >"$made/$name.build.json"
install -m 0755 scripts/install.sh "$made/install.sh"

case "$wheel" in
  none) ;;
  build) ./scripts/wheel.sh "$made" >&2 ;;
  *) install -m 0644 "$wheel" "$made/" ;;
esac
seal_up "$made"
mv "$made" "$out"
say "$out has $(find "$out" -type f | wc -l) files; not built here: $(python3 scripts/release/parts.py others --target "$target")"
