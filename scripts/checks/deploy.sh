#!/usr/bin/env bash
# The container, Kubernetes, systemd and monitoring files fit their schemas and each other.
#
# What a tool is missing for is skipped with its reason. The Python tools go into a virtual environment in the cache.
set -euo pipefail
cd "$(dirname "$0")/../.."

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
skip() { echo "skipped: $1"; }

tools=${AML_DEPLOY_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/aml-deploy-checks}
packages=(check-jsonschema==0.37.4 kubernetes-validate==1.37.0 PyYAML==6.0.3)
if [ "$(cat "$tools/packages" 2>/dev/null)" != "${packages[*]}" ]; then
  if python3 -m venv "$tools" && "$tools/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"; then
    echo "${packages[*]}" >"$tools/packages"
  fi
fi
if [ -f "$tools/packages" ]; then
  check "docker-compose.yml fits the Compose specification" \
    "$tools/bin/check-jsonschema" --builtin-schema vendor.compose-spec docker-compose.yml
  check "services are hardened, limited and checked" "$tools/bin/python" scripts/checks/deploy.py compose
  check "dashboards and rules use metrics that are emitted" "$tools/bin/python" scripts/checks/deploy.py metrics
  if [ -f config/prometheus-alerts.yml ]; then
    check "alert rules are complete" "$tools/bin/python" scripts/checks/deploy.py rules
  fi
  if command -v kubectl >/dev/null; then
    check "the Kubernetes manifests build" kubectl kustomize deploy/k8s --output "$work/manifests.yaml"
    check "those of pages build" kubectl kustomize deploy/k8s/pages --output "$work/pages.yaml"
    { echo ---; cat "$work/pages.yaml"; } >>"$work/manifests.yaml"
  else
    skip "kubectl is not installed: the manifests are checked as they are, not as Kustomize builds them"
    find deploy/k8s -name '*.yaml' ! -name kustomization.yaml -exec sh -c 'cat "$1"; echo ---' _ {} \; >"$work/manifests.yaml"
  fi
  check "the Kubernetes manifests fit the API's schemas" \
    "$tools/bin/kubernetes-validate" --strict --quiet --kubernetes-version 1.32 "$work/manifests.yaml"
else
  skip "no check-jsonschema and kubernetes-validate (PyPI was not reached)"
fi

# The units are verified with programs that are there: empty files stand in for ours.
mkdir "$work/bin" "$work/units"
for program in aml-miner-serve aml-miner-train aml-miner-batch aml-subnet; do
  install --mode=0755 /dev/null "$work/bin/$program"
done
for unit in deploy/systemd/*.service; do
  sed "s#/usr/local/bin#$work/bin#" "$unit" >"$work/units/$(basename "$unit")"
done
if command -v systemd-analyze >/dev/null; then
  check "systemd takes the units" systemd-analyze verify --man=no "$work"/units/*.service
  for unit in "$work"/units/*.service; do
    check "$(basename "$unit") is hardened" systemd-analyze security --offline=true --threshold=20 "$unit"
  done
else
  skip "systemd-analyze is not installed"
fi
# The example of a reverse proxy, with a certificate and a list of readers made here.
nginx_takes_it() {
  mkdir -p "$work/nginx"
  openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=validator.example.org -days 1 \
    -keyout "$work/nginx/privkey.pem" -out "$work/nginx/fullchain.pem" && : >"$work/nginx/readers"
  sed "s#/etc/nginx/aml_readers#$work/nginx/readers#; s#/etc/nginx/aml/#$work/nginx/#; s#/var/log/nginx#$work/nginx#" \
    deploy/nginx/readers.conf >"$work/nginx/aml.conf"
  printf 'pid %s/nginx/pid;\nevents {}\nhttp { include %s/nginx/aml.conf; }\n' "$work" "$work" >"$work/nginx/nginx.conf"
  nginx -t -c "$work/nginx/nginx.conf"
}
if command -v nginx >/dev/null && command -v openssl >/dev/null; then
  check "nginx takes the example of a reverse proxy" nginx_takes_it
else
  skip "nginx is not installed: its example is not read"
fi
is_installed() {
  deploy/systemd/install.sh --root "$work/root" --bin "$work/bin" &&
    [ -x "$work/root/usr/local/bin/aml-subnet" ] && [ -f "$work/root/etc/aml/subnet.toml" ] &&
    [ -f "$work/root/etc/systemd/system/aml-subnet-miner.service" ]
}
keeps_configuration() {
  echo "# changed" >>"$work/root/etc/aml/subnet.toml"
  deploy/systemd/install.sh --root "$work/root" --bin "$work/bin" && grep -q "# changed" "$work/root/etc/aml/subnet.toml"
}
removes_old_pages() {
  local pages=$work/root/usr/local/share/doc/aml
  touch "$pages/operations.md" "$pages/of_ones_own.md"
  deploy/systemd/install.sh --root "$work/root" --bin "$work/bin" &&
    [ ! -e "$pages/operations.md" ] && [ -f "$pages/docs/operations.md" ] && [ -f "$pages/of_ones_own.md" ] &&
    [ -f "$pages/README.md" ]
}
check "the units' install command installs" is_installed
check "a second run keeps the configuration" keeps_configuration
check "pages of before, which lay elsewhere, are removed" removes_old_pages

printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
