#!/usr/bin/env bash
# Random models of LightGBM, XGBoost, CatBoost and scikit-learn, at several versions: our evaluator gives the libraries' own scores
# bit for bit, and contributions that add up and are near the libraries' own. Skips with a reason what cannot be installed.
#
# AML_BOOSTERS_VENVS keeps the virtual environments; AML_BOOSTERS_MODELS is the number of models of each kind and version (15; 1000
# for the whole spread); AML_BOOSTERS_SEED chooses others; AML_BOOSTERS_ALL=1 takes XGBoost 1.7, 2.0 and 3.0 too, whose packages are
# hundreds of megabytes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=scripts/env.sh
. "$root/scripts/env.sh"
venvs=${AML_BOOSTERS_VENVS:-$HOME/.cache/aml-boosters}
models=${AML_BOOSTERS_MODELS:-15}
seed=${AML_BOOSTERS_SEED:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

command -v python3 >/dev/null || { echo "skipped: no python3"; exit 0; }

# A virtual environment, made once; fails where its packages cannot be had.
environment() { # name, packages
    local dir=$venvs/$1
    shift
    if [ ! -e "$dir/complete" ]; then
        rm -rf "$dir"
        python3 -m venv "$dir" && "$dir/bin/pip" install --quiet --disable-pip-version-check "$@" && touch "$dir/complete"
    fi
}

compare() { # directory with models
    cd "$root"
    # With the whole workspace, as all tests are built: nothing is compiled anew.
    AML_BOOSTERS_DIR=$1 cargo test --quiet --workspace --test it -- --nocapture models_boosters
}

check() { # environment, kind, packages
    local name=$1 kind=$2
    shift 2
    if ! environment "$name" "$@" 2>"$work/log"; then
        echo "skipped: $kind in $name: $(tail -n 1 "$work/log")"
        return
    fi
    local made=$work/$name-$kind
    if "$venvs/$name/bin/python" "$here/boosters.py" "$kind" "$made" --models "$models" --seed "$seed" && compare "$made" >"$work/out" 2>&1; then
        passed=$((passed + 1))
        echo "ok   $kind in $name"
    else
        failed=$((failed + 1))
        echo "FAILED: $kind in $name"
        tail -n 30 "$work/out" 2>/dev/null || true
    fi
    rm -rf "$made"
}
newest=('xgboost-cpu>=3.2,<4' pandas scikit-learn 'lightgbm>=4.7,<5' catboost)
for kind in xgboost lightgbm catboost sklearn; do
    check newest "$kind" "${newest[@]}"
done
check xgb21 xgboost 'xgboost-cpu==2.1.4' 'pandas<3' scikit-learn
check lgb33 lightgbm 'lightgbm==3.3.5' 'numpy<2' 'pandas<2' scipy 'scikit-learn<1.6'
check cat12 catboost 'catboost==1.2' 'numpy<2' 'pandas<2.3'
check sk15 sklearn 'scikit-learn==1.5.2' 'numpy<2' pandas
if [ "${AML_BOOSTERS_ALL:-}" = 1 ]; then
    check xgb17 xgboost 'xgboost==1.7.6' 'numpy<2' scipy 'pandas<2.3' 'scikit-learn<1.6'
    check xgb20 xgboost 'xgboost==2.0.3' 'numpy<2.3' scipy 'pandas<3' scikit-learn
    check xgb30 xgboost 'xgboost-cpu==3.0.5' 'pandas<3' scikit-learn 'lightgbm==4.6.0'
    check xgb30 lightgbm 'xgboost-cpu==3.0.5' 'pandas<3' scikit-learn 'lightgbm==4.6.0'
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
