#!/usr/bin/env bash
# The names at the roots of both crates are what the last release promised, as cargo-semver-checks sees it. Modules are hidden
# and no part of that.
#
#   AML_SEMVER_BASELINE=v1.0.0 scripts/checks/semver.sh      against another commit than the newest tag
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/env.sh
. scripts/env.sh
passed=0 failed=0

# What stands at a root is listed here too, so that nothing joins the promise by accident.
promised() { # crate
  python3 - "crates/$1/src/lib.rs" <<'PYTHON'
import pathlib, re, sys
text = pathlib.Path(sys.argv[1]).read_text()
shown = [name for hidden, name in re.findall(r"((?:#\[[^\]]*\]\n)*)pub mod (\w+);", text) if "doc(hidden)" not in hidden]
assert not shown, f"modules that are not hidden: {shown}"
names = []
for use in re.findall(r"pub use ([^;]+);", text):
    inner = re.search(r"\{(.*)\}", use, re.S)
    for part in (inner.group(1) if inner else use).split(","):
        if part.strip():
            names.append(re.split(r"\s+as\s+|::", part.strip())[-1])
assert len(names) == len(set(names)) and 20 <= len(names) <= 35, f"{len(names)} names: {names}"
print(f"{sys.argv[1]} promises {len(names)} names")
PYTHON
}
for crate in aml-miner aml-subnet; do
  if promised "$crate"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done

baseline=${AML_SEMVER_BASELINE:-$(git describe --tags --abbrev=0 2>/dev/null || true)}
if ! cargo semver-checks --version >/dev/null 2>&1; then
  echo "skipped: cargo-semver-checks is not installed (cargo install cargo-semver-checks)"
elif [ -z "$baseline" ]; then
  echo "skipped: there is no released version to compare with (no tag; name a commit in AML_SEMVER_BASELINE)"
else
  for crate in aml-miner aml-subnet; do
    if cargo semver-checks --package "$crate" --baseline-rev "$baseline"; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
    fi
  done
fi
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
