#!/usr/bin/env bash
# Proves that the simulation notices: takes back one known mend after the other (scripts/simulate/reverts), builds that in a
# worktree of its own, and simulates until a law is broken.
#
#   scripts/simulate_reverts.sh --minutes 10                         every mend, ten minutes each
#   scripts/simulate_reverts.sh --minutes 2 --seed 7 held_round      one of them
#   scripts/simulate_reverts.sh --list                               what there is
#
# Prints for each the seed that found it, and after how many minutes. AML_CARGO is the command that builds (cargo), AML_PROFILE
# the profile (release). Exits with 1 when one was not found, or does not apply any more.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
patches=$root/scripts/simulate/reverts
usage() { sed -n '2,10s/^# \{0,1\}//p' "$0"; }
refuse() { usage >&2 && exit 2; }
minutes='' seed=1 names=()
while [ $# -gt 0 ]; do
  case "$1" in
  --minutes) minutes=${2:-} && shift ;;
  --seed) seed=${2:-} && shift ;;
  --list)
    for patch in "$patches"/*.patch; do printf '%-24s %s\n' "$(basename "$patch" .patch)" "$(head -n 1 "$patch")"; done
    exit 0
    ;;
  --help | -h) usage && exit 0 ;;
  -*) refuse ;;
  *) names+=("$1") ;;
  esac
  shift || refuse
done
[[ $minutes =~ ^[0-9]+(\.[0-9]+)?$ && $seed =~ ^[0-9]+$ ]] || refuse
if [ ${#names[@]} -eq 0 ]; then
  for patch in "$patches"/*.patch; do names+=("$(basename "$patch" .patch)"); done
fi
# shellcheck source=scripts/env.sh
source "$root/scripts/env.sh"
profile=${AML_PROFILE:-release}
folder=$profile
[ "$profile" = dev ] && folder=debug
read -ra cargo <<<"${AML_CARGO:-cargo}"

# Always the same place, so that what does not change is compiled once.
scratch=${AML_SCRATCH:-$CARGO_TARGET_DIR/simulate-reverts}
[ -e "$scratch/.git" ] || git -C "$root" worktree add --quiet --detach "$scratch" HEAD
end() { git -C "$root" worktree remove --force "$scratch" 2>/dev/null || true; }
trap end EXIT
found=0 missed=0
for name in "${names[@]}"; do
  git -C "$scratch" checkout --quiet --detach --force "$(git -C "$root" rev-parse HEAD)"
  if ! git -C "$scratch" apply "$patches/$name.patch"; then
    echo "$name: DOES NOT APPLY"
    missed=$((missed + 1))
    continue
  fi
  (cd "$scratch" && "${cargo[@]}" build --profile "$profile" -p aml-subnet --features simulate --bin aml-subnet)
  began=$(date +%s)
  out=$(mktemp)
  if AML_PROGRAMS=$CARGO_TARGET_DIR/$folder "$root/scripts/simulate.sh" --minutes "$minutes" --seed "$seed" >"$out"; then
    echo "$name: NOT FOUND in $minutes minutes; $(tail -n 1 "$out")"
    missed=$((missed + 1))
  else
    took=$(($(date +%s) - began))
    echo "$name: found after $((took / 60)) min $((took % 60)) s: $(grep -m 1 'LAW BROKEN' "$out")"
    found=$((found + 1))
  fi
  rm -f "$out"
done
printf '\n%d found, %d not found\n' "$found" "$missed"
[ "$missed" -eq 0 ]
