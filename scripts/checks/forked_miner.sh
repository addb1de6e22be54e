#!/usr/bin/env bash
# A forker's own miner (examples/forked_miner) is built against the names at the crate's root, trains on its feature, and serves
# its models; the shipped program refuses a model of that feature by name.
#
# Cargo resolves the workspace of the example with our lock file. Then the three files are compiled against the library that
# the tests use, because cargo would choose other features for a workspace of its own, and compile every dependency once more:
# AML_FORK_CARGO=yes lets it (some twenty minutes). Programs: AML_BIN_DIR, else those of the tests are built.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/env.sh
. scripts/env.sh
work=$(mktemp -d)
server=''
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
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
# Cargo knows which of the libraries in its folder is the programs' own.
library_of_the_programs() {
  cargo build --quiet --workspace --bins --examples --message-format json | python3 -c '
import json, sys
for line in sys.stdin:
    part = json.loads(line)
    if part["reason"] == "compiler-artifact" and part["target"]["name"] == "aml_miner":
        print(next(name for name in part["filenames"] if name.endswith(".rlib")))'
}
if [ -z "${AML_BIN_DIR:-}" ]; then
  build_test_programs
  AML_BIN_DIR=$programs
  library=$(library_of_the_programs)
else
  library=$(find -L "$AML_BIN_DIR" "$AML_BIN_DIR/deps" -maxdepth 1 -name 'libaml_miner*.rlib' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)
fi
[ -n "$library" ] || { echo "skipped: there is no libaml_miner in $AML_BIN_DIR (build the tests' programs)"; exit 0; }
example=examples/forked_miner bins=$work/bin
mkdir "$bins"

resolves() {
  cp Cargo.lock "$example/Cargo.lock"
  cargo metadata --quiet --offline --format-version 1 --manifest-path "$example/Cargo.toml" >"$work/metadata"
  rm -f "$example/Cargo.lock"
  python3 - "$work/metadata" <<'PYTHON'
import json, sys
about = json.load(open(sys.argv[1]))
own = {package["id"]: package["name"] for package in about["packages"]}
assert [own[one] for one in about["workspace_members"]] == ["forked-miner"], "it is a workspace of its own"
root = next(package for package in about["packages"] if package["name"] == "forked-miner")
assert [needed["name"] for needed in root["dependencies"]] == ["aml-miner"], "the crate's root is all that it needs"
PYTHON
}
check "cargo resolves it with our lock file" resolves

compiles() {
  if [ "${AML_FORK_CARGO:-no}" = yes ]; then
    cp Cargo.lock "$example/Cargo.lock"
    cargo build --manifest-path "$example/Cargo.toml"
    cp "$CARGO_TARGET_DIR"/debug/forked-miner-{serve,train} "$bins/"
    return
  fi
  local flags=(--edition 2024 -D warnings -L "dependency=$AML_BIN_DIR/deps" --extern "aml_miner=$library" --out-dir "$work")
  local place
  # Where build scripts left libraries of C.
  for place in "$AML_BIN_DIR"/build/*/out "$AML_BIN_DIR"/build/*/out/lib; do [ ! -d "$place" ] || flags+=(-L "native=$place"); done
  rustc "${flags[@]}" --crate-type rlib --crate-name forked_miner "$example/src/lib.rs"
  local program
  for program in serve train; do
    rustc "${flags[@]}" --crate-type bin --crate-name "forked_miner_$program" \
      --extern "forked_miner=$work/libforked_miner.rlib" "$example/src/bin/forked-miner-$program.rs"
    mv "$work/forked_miner_$program" "$bins/forked-miner-$program"
  done
}
check "it compiles against the names at the root" compiles
[ "$failed" -eq 0 ] || { printf '\n%d passed, %d failed\n' "$passed" "$failed"; exit 1; }

# Rules of a program's own are known to it alone.
knows_rules() { # program, what it knows
  local said
  if said=$(cd "$work" && "$1" replay --round 1-2026-01-05-30 --rules none 2>&1); then return 1; fi
  grep -q "this program knows no rules \"none\", only $2\$" <<<"$said" || { echo "$said"; return 1; }
}
check "a validator of one's own knows its own rules" knows_rules "$AML_BIN_DIR/examples/own_rules" "v1, v2, ours-1"
check "the shipped one knows no others" knows_rules "$AML_BIN_DIR/aml-subnet" "v1, v2"

"$AML_BIN_DIR/aml-miner-batch" synth "$work/days" --start-date 2025-10-01 --days 80 --alerts 60 --addresses 500 >/dev/null 2>&1
cat >"$work/model_config.yaml" <<'YAML'
split: {embargo_days: 21, validation_share: 0.1, test_share: 0.1, shared_addresses: both}
boosting: {rounds: 12, early_stopping: 5, min_data_in_leaf: 3}
evaluation: {bootstrap: 5}
YAML
trains() { "$bins/forked-miner-train" scorer --data-dir "$work/days" --output "$work/models" --config "$work/model_config.yaml"; }
check "it trains" trains
has_feature() { grep -q '"evidence_length"' "$work/models/model_metadata.json"; }
check "its feature is part of the schema without being named" has_feature

scorer=$work/models/alert_scorer_v1.0.0.txt
serve() { # program, more...
  local program=$1
  shift
  (cd "$work" && env -i PATH="$PATH" MINER_SIGNING_KEY_FILE="$work/receipt.key" "$program" --alert-scorer "$scorer" --cluster-scorer '' --host 127.0.0.1 "$@")
}
accepts() { serve "$bins/forked-miner-serve" --check && grep -q "alert_ranker: 1.0.0+" "$work/log"; }
check "its server takes the model, and its own ranker without a file" accepts
refuses() {
  if serve "$AML_BIN_DIR/aml-miner-serve" --alert-ranker '' --check; then return 1; fi
  grep -q evidence_length "$work/log"
}
check "the shipped server refuses the model by the feature's name" refuses

answers() {
  local port version
  serve "$bins/forked-miner-serve" --port 0 >"$work/served" 2>&1 &
  server=$!
  for _ in $(seq 100); do
    port=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/served" | head -n 1)
    [ -z "$port" ] || break
    kill -0 "$server" || { cat "$work/served"; return 1; }
    sleep 0.1
  done
  version=$(curl -sf "http://127.0.0.1:$port/version")
  echo "$version"
  case "$version" in *alert_ranker*1.0.0+*) ;; *) return 1 ;; esac
  local body='{"alerts":[{"alert_id":"a","severity":"low","evidence_json":"{}"},{"alert_id":"b","severity":"critical","evidence_json":"{}"}]}'
  curl -sf -H 'content-type: application/json' -d "$body" "http://127.0.0.1:$port/rank/alerts" >"$work/ranked"
  cat "$work/ranked"
  python3 -c 'import json, sys
ranks = {row["alert_id"]: row["rank"] for row in json.load(open(sys.argv[1]))}
assert ranks == {"a": 2, "b": 1}, ranks' "$work/ranked"
  curl -sf -H 'content-type: application/json' -d "$body" "http://127.0.0.1:$port/score/alerts" | grep -q '"score"'
}
check "it serves: its ranker ranks, its scorer scores" answers

printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
