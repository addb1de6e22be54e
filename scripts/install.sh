#!/usr/bin/env bash
# Installs a release on this machine, and verifies it first: the signature over SHA256SUMS, then the digest of the file.
#
#   sudo ./install.sh --signers FILE aml-1.0.0-x86_64-unknown-linux-gnu.tar.gz
#   sudo ./install.sh --signers FILE aml_1.0.0_amd64.deb
#   ./install.sh --signers FILE --check FILE      only says whether it is good
#
# SHA256SUMS and SHA256SUMS.sig lie beside the file, as they were published. --signers names the keys that may sign (the
# form of ssh-keygen's allowed_signers). Take it from another place than the release: what comes with it proves nothing.
# The first installation keeps it as /etc/aml/release_signers, and later ones need none.
#
#   --root DIR     into a directory, to look at it first; no service is touched
#   --unsigned     for a release of your own that has no signature: digests alone are compared
#   --downgrade    an older version than the one that is installed. It refuses the ledger of a newer one
set -euo pipefail
umask 022
say() { printf 'install: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

to='' signers='' unsigned=no check=no downgrade=no file=''
while [ $# -gt 0 ]; do
  case "$1" in
    --root) to=${2:?--root needs a directory}; shift 2 ;;
    --signers) signers=${2:?--signers needs a file}; shift 2 ;;
    --unsigned) unsigned=yes; shift ;;
    --check) check=yes; shift ;;
    --downgrade) downgrade=yes; shift ;;
    -h | --help) sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) fail "unknown argument $1 (try --help)" ;;
    *) [ -z "$file" ] || fail "one file at a time"; file=$1; shift ;;
  esac
done
[ -n "$file" ] || fail "name the tarball or the package (try --help)"
[ -f "$file" ] || fail "$file is no file"
name=$(basename "$file") folder=$(cd "$(dirname "$file")" && pwd)
[ -f "$folder/SHA256SUMS" ] || fail "there is no SHA256SUMS beside $name"
kept=$to/etc/aml/release_signers

# Everything is copied first: what was verified is what is installed, whoever may write where it came from.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$folder/SHA256SUMS" "$work/sums"
cp "$file" "$work/file"

if [ "$unsigned" = no ]; then
  signers=${signers:-$kept}
  [ -f "$signers" ] || fail "who may sign is not known: name a file with --signers (docs/releases.md)"
  [ -f "$folder/SHA256SUMS.sig" ] || fail "there is no signature (SHA256SUMS.sig) beside $name"
  command -v ssh-keygen >/dev/null || fail "ssh-keygen is missing (openssh-client)"
  cp "$folder/SHA256SUMS.sig" "$work/sig"
  cp "$signers" "$work/signers"
  ssh-keygen -q -Y verify -f "$work/signers" -I aml-release -n aml-release -s "$work/sig" <"$work/sums" >/dev/null 2>&1 ||
    fail "SHA256SUMS is not signed by a key of $signers: do not use this release"
fi
wanted=$(awk -v name="$name" '$2 == name || $2 == "*" name { print $1 }' "$work/sums")
[ -n "$wanted" ] || fail "SHA256SUMS does not name $name"
[ "$wanted" = "$(sha256sum "$work/file" | cut -d' ' -f1)" ] || fail "$name is not the file that SHA256SUMS names: fetch it again"
if [ "$unsigned" = no ]; then say "$name is signed and intact"; else say "$name is intact; nobody vouches for it"; fi
[ "$check" = no ] || exit 0

[ -n "$to" ] || [ "$(id -u)" -eq 0 ] || fail "run it as root, or say --root DIR"
case "$name" in
  *.tar.gz)
    # The version may have a hyphen itself (1.0.0-rc.1), the target's name has three.
    [[ $name =~ ^aml-([0-9][0-9A-Za-z.+-]*)-([a-z0-9_]+)-[a-z0-9]+-[a-z0-9]+-[a-z0-9]+\.tar\.gz$ ]] || fail "$name names no version and machine"
    version=${BASH_REMATCH[1]} machine=${BASH_REMATCH[2]}
    ;;
  *.deb)
    version=${name#aml_} version=${version%%_*} version=${version/\~/-}
    case "$name" in *_amd64.deb) machine=x86_64 ;; *_arm64.deb) machine=aarch64 ;; *) machine=unknown ;; esac
    ;;
  *) fail "$name is neither a tarball nor a package of this project" ;;
esac
[ "$machine" = "$(uname -m)" ] || fail "$name is for $machine, this machine is $(uname -m)"

# A candidate (1.0.0-rc.1) comes before its version.
older() { [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "${1/-/\~}" "${2/-/\~}" | sort -V | head -n 1)" = "${1/-/\~}" ]; }
for there in "$to/usr/local/bin/aml-subnet" "$to/usr/bin/aml-subnet"; do
  [ -x "$there" ] || continue
  case "$there:$name" in
    */usr/local/bin/*:*.deb) fail "programs of a tarball are in /usr/local/bin: remove them first, units find those" ;;
    */usr/bin/*:*.tar.gz) fail "the package aml is installed: take the package, or remove it first" ;;
  esac
  now=$("$there" --version 2>/dev/null | awk '{ print $2 }') || now=''
  if [ -n "$now" ] && older "$version" "$now" && [ "$downgrade" = no ]; then
    fail "$now is installed and $version is older: say --downgrade, and restore the ledger's backup of before"
  fi
done

# A program that does not run here (an old C library, say) is found out before anything is replaced.
runs() { # folder with the programs
  local program
  for program in aml-miner-serve aml-miner-batch aml-miner-train aml-subnet; do
    if ! "$1/$program" --version >"$work/told" 2>&1; then
      # What a package needs is installed with it.
      if [ "${name##*.}" = deb ] && [ -z "$to" ] && grep -q "cannot open shared object file" "$work/told"; then continue; fi
      grep -q "Permission denied" "$work/told" && say "programs may not run in $work: set TMPDIR to a folder where they may"
      fail "$program does not run on this machine: $(head -n 1 "$work/told")"
    fi
    awk -v wanted="$version" 'NR == 1 && $2 == wanted { found = 1 } END { exit !found }' "$work/told" ||
      fail "$program says $(head -n 1 "$work/told"), the release is $version"
  done
}
mkdir "$work/new"
if [ "${name##*.}" = deb ]; then
  dpkg-deb --extract "$work/file" "$work/new"
  runs "$work/new/usr/bin"
  if [ -n "$to" ]; then
    mkdir -p "$to"
    dpkg-deb --extract "$work/file" "$to"
  else
    cp "$work/file" "$work/$name"
    # Settings that an operator has changed stay, and nobody has to be there to say so.
    apt-get install --yes --no-install-recommends --allow-downgrades -o Dpkg::Options::=--force-confdef \
      -o Dpkg::Options::=--force-confold "$work/$name" >&2
  fi
else
  inside=${name%.tar.gz}
  tar -tzf "$work/file" | awk -v top="$inside/" 'index($0, top) != 1 || /(^|\/)\.\.(\/|$)/ { bad = 1 } END { exit bad }' ||
    fail "$name has files outside of $inside"
  tar -xzf "$work/file" -C "$work/new" --no-same-owner
  runs "$work/new/$inside/bin"
  "$work/new/$inside/deploy/systemd/install.sh" --bin "$work/new/$inside/bin" ${to:+--root "$to"}
fi
if [ "$unsigned" = no ] && [ ! -e "$kept" ]; then install -D -m 0644 "$work/signers" "$kept"; fi
say "$version is installed"
