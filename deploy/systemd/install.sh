#!/usr/bin/env bash
# Installs the programs, example configuration and systemd units. Run it again to upgrade: configuration that is there
# stays, and so do models that are not the shipped ones.
#
#   sudo deploy/systemd/install.sh                 on this machine, from the release build
#   deploy/systemd/install.sh --root DIR           into a directory, to look at it or to make a package
#
#   --bin DIR      where the programs are (default: the build directory of scripts/env.sh, else target/release)
#   --prefix DIR   /usr/local unless told otherwise; with /usr the units go where packages put them
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)

to='' bin='' prefix=/usr/local
while [ $# -gt 0 ]; do
  case "$1" in
    --root) to=${2:?--root needs a directory}; shift 2 ;;
    --bin) bin=${2:?--bin needs a directory}; shift 2 ;;
    --prefix) prefix=${2:?--prefix needs a directory}; shift 2 ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "install: unknown argument $1 (try --help)" >&2; exit 2 ;;
  esac
done
if [ -z "$bin" ]; then
  # Under sudo the build is the caller's.
  home=$(getent passwd "${SUDO_USER:-$(id -un)}" | cut -d: -f6)
  for bin in "${CARGO_TARGET_DIR:-$home/.cache/aml-target}/release" "$source/target/release"; do
    if [ -x "$bin/aml-subnet" ]; then break; fi
  done
fi
for program in aml-miner-serve aml-miner-train aml-miner-batch aml-subnet; do
  [ -x "$bin/$program" ] || { echo "install: no $program in $bin: build it first, or say --bin DIR" >&2; exit 1; }
  # A program that runs may be replaced: the new file gets its name in one step.
  install -D --mode=0755 "$bin/$program" "$to$prefix/bin/.$program.new"
  mv -f "$to$prefix/bin/.$program.new" "$to$prefix/bin/$program"
done

keep() { # source, target: only where there is none yet
  [ -e "$to$2" ] || install -D --mode=0644 "$1" "$to$2"
}
keep "$source/config/miner-api.toml" /etc/aml/miner-api.toml
keep "$source/config/subnet_config.toml" /etc/aml/subnet.toml
for file in subnet miner validator; do keep "$here/$file.env" "/etc/aml/$file.env"; done
install --directory --mode=0700 "$to/etc/aml/wallets"
install -D --mode=0644 --target-directory="$to$prefix/share/aml/trained_models" "$source"/trained_models/*
# The pages, and what they link to, as they lie in the source.
for page in "$source"/*.md "$source"/docs/*.md "$source"/conformance/README.md "$source"/config/prometheus-alerts.yml; do
  [ ! -e "$page" ] || install -D --mode=0644 "$page" "$to$prefix/share/doc/aml/${page#"$source"/}"
done
# Before they lay as in the source, those of docs/ stood beside each other here.
for page in "$source"/docs/*.md; do
  page=$(basename "$page")
  [ -e "$source/$page" ] || rm -f "$to$prefix/share/doc/aml/$page"
done
units=/etc/systemd/system
if [ "$prefix" = /usr ]; then units=/usr/lib/systemd/system; fi
for unit in "$here"/*.service; do
  install -D --mode=0644 "$unit" "$to$units/$(basename "$unit")"
  if [ "$prefix" != /usr/local ]; then sed -i "s#/usr/local/#$prefix/#g" "$to$units/$(basename "$unit")"; fi
done
install -D --mode=0644 "$here/sysusers.conf" "$to/usr/lib/sysusers.d/aml.conf"

if [ -z "$to" ]; then
  systemd-sysusers /usr/lib/sysusers.d/aml.conf
  chown aml-subnet: /etc/aml/wallets
  chmod 0600 /etc/aml/subnet.env /etc/aml/miner.env /etc/aml/validator.env
  if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
fi
cat <<'EOF'
Installed. Next:
  1. put the hotkey at /etc/aml/wallets/WALLET/hotkeys/HOTKEY, owner aml-subnet, mode 0600
  2. fill in /etc/aml/subnet.env, and /etc/aml/miner.env or /etc/aml/validator.env
  3. systemctl enable --now aml-miner-serve aml-subnet-miner      (a miner)
     systemctl enable --now aml-subnet-validator                  (a validator)
EOF
