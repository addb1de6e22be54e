#!/usr/bin/env bash
# A release is made of given programs, has the same bytes twice, is verified and installed, and whatever is changed in it is
# noticed. Programs: AML_BIN_DIR, else those of the tests are built.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/env.sh
. scripts/env.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
check() { # what, command...
  local what=$1
  shift
  if "$@" >"$work/log" 2>&1; then
    passed=$((passed + 1))
    echo "ok: $what"
  else
    failed=$((failed + 1))
    echo "FAILED: $what"
    cat "$work/log"
  fi
}
refused() { # words of the refusal, command...
  local words=$1
  shift
  if "$@" >"$work/refusal" 2>&1; then
    echo "it was not refused"
    return 1
  fi
  grep -q -- "$words" "$work/refusal" || { cat "$work/refusal"; return 1; }
}
for tool in dpkg-deb ssh-keygen strip objdump; do
  command -v "$tool" >/dev/null || { echo "skipped: $tool is missing"; exit 0; }
done
if [ -z "${AML_BIN_DIR:-}" ]; then
  build_test_programs
  AML_BIN_DIR=$programs
fi
# Somebody may build meanwhile; and what is small is packed sooner.
mkdir "$work/bins"
for program in aml-miner-serve aml-miner-batch aml-miner-train aml-subnet; do
  strip --strip-all -o "$work/bins/$program" "$AML_BIN_DIR/$program"
done

# A clean clone of what is here, committed or not.
clone=$work/clone
mkdir "$clone"
git ls-files -z --cached --others --exclude-standard | xargs -0 -I{} sh -c '[ ! -e "$1" ] || cp --parents -P "$1" "$2"' _ {} "$clone"
export GIT_AUTHOR_DATE="@1700000000 +0000" GIT_COMMITTER_DATE="@1700000000 +0000"
git -C "$clone" init --quiet
git -C "$clone" add --all
git -C "$clone" -c user.name=check -c user.email=check@aml.example commit --quiet --message "What is released"
ssh-keygen -q -t ed25519 -N '' -C aml-release -f "$work/key"
ssh-keygen -q -t ed25519 -N '' -C other -f "$work/other"
echo "aml-release namespaces=\"aml-release\" $(cut -d' ' -f1,2 "$work/key.pub")" >"$work/signers"
echo "aml-release namespaces=\"aml-release\" $(cut -d' ' -f1,2 "$work/other.pub")" >"$work/other_signers"
export AML_RELEASE_TEST_BUILD=yes AML_RELEASE_LEVEL=1
release() { "$clone/scripts/release.sh" --bins "$work/bins" --no-wheel "$@"; }

check "a release is made" release --key "$work/key" --out "$work/release"
check "and once more" release --key "$work/key" --out "$work/again"
[ "$failed" -eq 0 ] || { printf '\n%d passed, %d failed\n' "$passed" "$failed"; exit 1; }
check "both have the same bytes" diff -r "$work/release" "$work/again"
rm -rf "$work/again"
install=$work/release/install.sh
tarball=$(echo "$work"/release/aml-*-linux-gnu.tar.gz) package=$(echo "$work"/release/aml_*.deb)
bill=$(echo "$work"/release/*.cdx.json)

all_named() { (cd "$work/release" && sha256sum --check --strict --quiet SHA256SUMS && [ "$(wc -l <SHA256SUMS)" -eq "$(($(find . -type f | wc -l) - 2))" ]); }
check "the sums are of every file" all_named
check "the bill of materials names every crate with its licence" python3 - "$bill" "$clone/Cargo.lock" <<'PYTHON'
import json, sys, tomllib
bill, locked = json.load(open(sys.argv[1])), tomllib.load(open(sys.argv[2], "rb"))["package"]
known = {(package["name"], package["version"]) for package in locked}
parts = {(part["name"], part["version"]) for part in bill["components"]}
assert bill["bomFormat"] == "CycloneDX" and bill["specVersion"] == "1.5" and len(parts) > 300, len(parts)
assert parts <= known and {"aml-miner", "aml-subnet", "lightgbm3-sys", "subxt"} <= {name for name, _ in parts}
assert all(part.get("licenses") for part in bill["components"])
refs = {part["bom-ref"] for part in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
assert all(one["ref"] in refs and set(one["dependsOn"]) <= refs for one in bill["dependencies"])
assert "proptest" not in {name for name, _ in parts}, "what only tests need is no part"
PYTHON
tools=${AML_RELEASE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/aml-release-checks}
if [ ! -e "$tools/complete" ]; then
  rm -rf "$tools"
  python3 -m venv "$tools" && "$tools/bin/pip" install --quiet --disable-pip-version-check 'cyclonedx-python-lib[json-validation]==11.*' &&
    touch "$tools/complete" || true
fi
if [ -e "$tools/complete" ]; then
  check "the bill of materials fits CycloneDX's schema" "$tools/bin/python" - "$bill" <<'PYTHON'
import pathlib, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
wrong = JsonStrictValidator(SchemaVersion.V1_5).validate_str(pathlib.Path(sys.argv[1]).read_text())
assert wrong is None, wrong
PYTHON
else
  echo "skipped: CycloneDX's schema (PyPI was not reached)"
fi

context_is_whole() {
  tar -tzf "$work"/release/aml-*-container.tar.gz | sed 's#/$##' >"$work/context"
  local path
  for path in $(sed -n 's/^COPY \(--from=[a-z]* \)\{0\}\([^-].*\) [^ ]*$/\2/p' Dockerfile) Dockerfile; do
    grep -qx "$path" "$work/context" || { echo "the build context lacks $path"; return 1; }
  done
}
check "the build context has what the Dockerfile copies" context_is_whole

is_installed() { # bin, units
  [ -x "$work/root/$1/aml-subnet" ] && [ -f "$work/root/etc/aml/subnet.toml" ] && [ -f "$work/root/$2/aml-subnet-miner.service" ] &&
    ! { [ "$1" = usr/bin ] && grep -r /usr/local "$work/root/$2"; } && cmp "$work/signers" "$work/root/etc/aml/release_signers"
}
installs() { # file, bin, units
  rm -rf "$work/root"
  "$install" --signers "$work/signers" --root "$work/root" "$1" && is_installed "$2" "$3"
}
starts() { (cd "$work/root/$1/share/aml" && MINER_SIGNING_KEY_FILE=$work/receipt_key "../../bin/aml-miner-serve" --config "$work/root/etc/aml/miner-api.toml" --check); }
verifies() { # units
  sed -i "s#/usr/bin/aml#$work/root/usr/bin/aml#; s#=/usr/share/aml#=$work/root/usr/share/aml#" "$work/root/$1"/*.service
  systemd-analyze verify --man=no "$work/root/$1"/aml-*.service
}
keeps() {
  echo "# changed" >>"$work/root/etc/aml/subnet.toml"
  "$install" --root "$work/root" "$tarball" && grep -q "# changed" "$work/root/etc/aml/subnet.toml"
}
check "the tarball is verified and installed" installs "$tarball" usr/local/bin etc/systemd/system
check "the installed programs start with the installed settings and models" starts usr/local
check "installing again keeps settings, and needs no list of signers" keeps
check "a package over a tarball is refused" refused "remove them first" "$install" --root "$work/root" "$package"
newer=$(printf '#!/bin/sh\necho aml-subnet 99.0.0\n')
pretends_newer() { echo "$newer" >"$work/root/usr/local/bin/aml-subnet"; refused "say --downgrade" "$install" --root "$work/root" "$tarball"; }
check "an older version than the installed one is refused" pretends_newer
check "the package is verified and installed" installs "$package" usr/bin usr/lib/systemd/system
check "the programs of the package start as well" starts usr
links_lead_somewhere() {
  local page link
  for page in "$work"/root/usr/share/doc/aml/docs/*.md; do
    for link in $(grep -oE '\]\([^):#]+' "$page" | cut -c3- | grep -v '^http' | sort -u); do
      [ -e "$(dirname "$page")/$link" ] || { echo "$(basename "$page"): $link"; return 1; }
    done
  done
}
check "links of the installed pages lead somewhere" links_lead_somewhere
if command -v systemd-analyze >/dev/null; then
  check "systemd takes the units of the package" verifies usr/lib/systemd/system
else
  echo "skipped: systemd-analyze is not installed"
fi
well_made() {
  dpkg-deb --field "$package" Depends && dpkg-deb --field "$package" Depends | grep 'libc6 (>= ' && dpkg-deb --info "$package" | grep conffiles &&
    dpkg-deb --contents "$package" >"$work/contents" && ! grep -v ' root/root ' "$work/contents" && ! grep -E '^.{5}w|^.{8}w' "$work/contents"
}
check "the package names what it needs and belongs to root" well_made

# Somebody changes a release.
changed() { # how a copy of the release is changed, words of the refusal
  rm -rf "$work/bad"
  mkdir "$work/bad"
  cp "$install" "$tarball" "$work"/release/SHA256SUMS* "$work/bad/"
  (cd "$work/bad" && eval "$1") || return 1
  refused "$2" "$work/bad/install.sh" --signers "$work/signers" --root "$work/nowhere" "$work/bad/$(basename "$tarball")" && [ ! -e "$work/nowhere" ]
}
resum='find . -type f ! -name "SHA256SUMS*" -printf "%P\\0" | sort -z | xargs -0 sha256sum >SHA256SUMS'
check "a changed tarball is refused" changed 'printf x >>aml-*-linux-gnu.tar.gz' "is not the file"
check "a changed tarball with fresh sums is refused" changed "printf x >>aml-*-linux-gnu.tar.gz; $resum" "not signed by"
check "fresh sums with another key's signature are refused" changed "printf x >>aml-*-linux-gnu.tar.gz; $resum; rm SHA256SUMS.sig; ssh-keygen -q -Y sign -f $work/other -n aml-release SHA256SUMS" "not signed by"
check "a signature for another purpose is refused" changed "rm SHA256SUMS.sig; ssh-keygen -q -Y sign -f $work/key -n git SHA256SUMS" "not signed by"
check "a release without a signature is refused" changed 'rm SHA256SUMS.sig' "no signature"
check "a file that the sums do not name is refused" changed 'sed -i /linux-gnu.tar.gz/d SHA256SUMS; ssh-keygen -q -Y sign -f ../key -n aml-release SHA256SUMS <<<y' "does not name"
check "another publisher's release is refused" refused "not signed by" "$install" --signers "$work/other_signers" --check "$tarball"
check "without a list of signers nothing is installed" refused "who may sign" "$install" --root "$work/nowhere" "$tarball"
check "without a signature only on request" "$install" --unsigned --check "$tarball"
foreign() { # a program inside says another version, sealed by the right key
  rm -rf "$work/bad" "$work/open"
  mkdir "$work/bad" "$work/open"
  tar -xzf "$tarball" -C "$work/open"
  echo "$newer" >"$work/open/$(basename "$tarball" .tar.gz)/bin/aml-subnet"
  tar -cf - -C "$work/open" "$(basename "$tarball" .tar.gz)" | gzip -1 >"$work/bad/$(basename "$tarball")"
  "$clone/scripts/release.sh" --seal "$work/bad" --key "$work/key" &&
    refused "$1" "$install" --signers "$work/signers" --root "$work/nowhere" "$work/bad/$(basename "$tarball")"
}
check "a tarball whose programs are of another version is refused" foreign "the release is"
escapes() {
  rm -rf "$work/bad"
  mkdir "$work/bad"
  tar -czf "$work/bad/$(basename "$tarball")" -C "$work" key.pub
  "$clone/scripts/release.sh" --seal "$work/bad" --key "$work/key" &&
    refused "outside of" "$install" --signers "$work/signers" --root "$work/nowhere" "$work/bad/$(basename "$tarball")"
}
check "a tarball with files outside of its folder is refused" escapes

unclean() { touch "$clone/left"; refused "not clean" release --key "$work/key" --out "$work/none"; local status=$?; rm "$clone/left"; return $status; }
check "a clone with something uncommitted is not released" unclean
for_tests() { AML_RELEASE_TEST_BUILD='' refused "build for tests" release --key "$work/key" --out "$work/none"; }
if "$work/bins/aml-subnet" --help | grep -qw simulate; then
  check "programs that were built for tests are not released" for_tests
fi
check "without a key there is no signed release" refused "name a key" release --out "$work/none"

printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
