#!/usr/bin/env python3
"""What a schema cannot say of docker-compose.yml, the Grafana dashboard and the Prometheus rules; used by deploy.sh.

    deploy.py compose        hardening, limits, health checks; whatever is mounted is there
    deploy.py metrics        every metric that is drawn or watched is one that the programs emit
    deploy.py rules          the rules have what a rule needs
"""
import json
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALERTS = ROOT / "config/prometheus-alerts.yml"
DASHBOARDS = ROOT / "monitoring/grafana/dashboards"
# The public chain's image: it writes into its own file system and has no tool for a check.
FOREIGN = {"subtensor"}
# Its check is in its image (Dockerfile).
CHECKED_BY_IMAGE = {"miner-api"}


def compose():
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    for name, service in document["services"].items():
        needed = ["mem_limit", "cpus"]
        if name not in FOREIGN:
            needed += ["read_only", "cap_drop", "pids_limit"]
        if name not in FOREIGN | CHECKED_BY_IMAGE:
            needed.append("healthcheck")
        yield from (f"service {name} has no {key}" for key in needed if not service.get(key))
        if "no-new-privileges:true" not in service.get("security_opt", []):
            yield f"service {name} may gain privileges"
        for port in service.get("ports", []):
            if not port.startswith("127.0.0.1:") and port != "8091:8091":
                yield f"service {name} publishes {port} to everyone"
        for mount in service.get("volumes", []):
            source = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", mount).split(":")[0]
            if source.startswith(".") and "$" not in mount and not (ROOT / source).exists():
                yield f"service {name} mounts {source}, which is not there"
            elif not source.startswith((".", "/")) and source not in document["volumes"]:
                yield f"service {name} mounts the volume {source}, which is not declared"


def emitted():
    """Names of the metrics in the sources."""
    sources = "".join(path.read_text() for path in ROOT.glob("crates/*/src/**/*.rs"))
    return set(re.findall(r'"(aml_[a-z0-9_]+)"', sources))


def watched():
    """Where each metric of the dashboards and rules is used."""
    expressions = []
    for path in sorted(DASHBOARDS.glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            expressions += [(f"{path.name}, panel {panel['title']!r}", t["expr"]) for t in panel.get("targets", [])]
    if ALERTS.exists():
        expressions += [(f"rule {rule.get('alert', rule.get('record'))}", rule["expr"]) for rule in all_rules()]
    for where, expression in expressions:
        for name in re.findall(r"\baml_[a-z0-9_]+", expression):
            yield where, name


def metrics():
    known = emitted()
    histograms = {f"{name}_{part}" for name in known for part in ("bucket", "sum", "count")}
    found = list(watched())
    if not found:
        yield "nothing is watched at all"
    yield from (f"{where}: nothing emits {name}" for where, name in found if name not in known | histograms)


def all_rules():
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def rules():
    for rule in all_rules():
        name = rule.get("alert")
        if not name:
            continue
        yield from (f"rule {name} has no {key}" for key in ("expr", "labels", "annotations") if not rule.get(key))
        if not rule.get("annotations", {}).get("summary"):
            yield f"rule {name} does not say what happened"


def main() -> int:
    problems = list({"compose": compose, "metrics": metrics, "rules": rules}[sys.argv[1]]())
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
