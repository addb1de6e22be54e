#!/usr/bin/env python3
"""Writes docs/benchmarks.md from the results of scripts/bench.sh: bench_report.py RESULTS > docs/benchmarks.md"""
import json
import pathlib
import platform
import re
import subprocess
import sys

INTRO = """# Benchmarks

`scripts/bench.sh` measured these: `aml-miner-serve` and the Python reference of the same server (FastAPI, pandas,
lightgbm, shap), interleaved in one run on one machine, with the same model files (211 trees of 31 leaves over 114
features for the alert scorer) and the same bodies. Every answer was checked: identifiers complete and in order, scores
in range, explanations that parse. The reference serves two cores; so does ours. A ratio above 1 is in our favour.
Absolute figures depend on the machine and its neighbours; ratios of interleaved runs are what to look at.
"""


def first_line(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"


def cpu():
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
        return re.search(r"model name\s*: (.*)", text).group(1)
    except (OSError, AttributeError):
        return platform.machine()


def spread(case):
    rounds = case["median_ms_by_round"]
    return f"{min(rounds):.2f}–{max(rounds):.2f}" if rounds else "-"


def table(report):
    lines = ["| case | server | requests | median ms | by round | p95 ms | alerts/s | CPU µs/alert | peak RSS MB |",
             "|---|---|---:|---:|---:|---:|---:|---:|---:|"]
    for name, servers in report["results"].items():
        for server, r in servers.items():
            lines.append(f"| {name} | {server} | {r['requests']} | {r['median_ms']:.2f} | {spread(r)} | "
                         f"{r['p95_ms']:.2f} | {r['alerts_per_s']:.0f} | {r['server_cpu_us_per_alert']:.1f} | "
                         f"{r['peak_rss_mb']:.0f} |")
    return lines


def ratios(report):
    lines = ["| case | latency | throughput | CPU | peak RSS | largest score difference |", "|---|---:|---:|---:|---:|---:|"]
    for name, servers in report["results"].items():
        if "ref" not in servers or "rust" not in servers:
            continue
        ref, ours = servers["ref"], servers["rust"]

        def ratio(over, under):
            return f"{over / under:.1f}x" if under else "-"
        lines.append(
            f"| {name} | {ratio(ref['median_ms'], ours['median_ms'])} "
            f"| {ratio(ours['alerts_per_s'], ref['alerts_per_s'])} "
            f"| {ratio(ref['server_cpu_ms_per_request'], ours['server_cpu_ms_per_request'])} "
            f"| {ratio(ref['peak_rss_mb'], ours['peak_rss_mb'])} "
            f"| {report['max_score_difference'].get(name, 0):.1e} |")
    return lines


def main():
    results = pathlib.Path(sys.argv[1])
    report = json.loads((results / "servers.json").read_text())
    machine = report["machine"]
    print(INTRO)
    print("## Machine and versions\n")
    print(f"{machine['time']}, {machine['cores']} cores of {cpu()}, {platform.system()} {platform.release()}, "
          f"{first_line(['rustc', '--version'])}, Python {platform.python_version()}.")
    for name, target in report["targets"].items():
        if target["startup_s"]:
            print(f"{name}: up in {target['startup_s']:.2f} s, idle {target['idle_rss_mb']:.0f} MB.")
    print("\n## Ratios\n")
    print("\n".join(ratios(report)))
    print("\n## Figures\n")
    print("\n".join(table(report)))
    kernels = results / "kernels.txt"
    if kernels.exists():
        print("\n## Kernels, one thread unless said\n\n```")
        print(kernels.read_text().strip())
        print("```")
    print("\n`single` is one alert, `b100` to `b50k` are batches of that many, `conc8x100` is eight callers at once, "
          "`rank10k` and\n`clusters10k` are the other two routes on the batch of 10,000 alerts.")


if __name__ == "__main__":
    main()
