#!/usr/bin/env python3
"""Writes docs/benchmarks.md from the results of scripts/bench.sh: bench_report.py RESULTS OLD > NEW

OLD is the page as it is: what scripts/round_load.sh wrote into it is kept.
"""
import importlib.metadata
import json
import pathlib
import platform
import re
import subprocess
import sys

from round_load_report import HEADING as ROUND_LOAD

INTRO = """# Benchmarks

`scripts/bench.sh` measured these: `aml-miner-serve` and the Python reference of the same server (FastAPI, pandas,
lightgbm, shap), interleaved in one run on one machine. Both had the same bodies and the same model files (211 trees
of 31 leaves over 114 features for the alert scorer). Every answer was checked: identifiers complete and in order,
scores in range, explanations that parse. The reference serves two cores; so does ours. Ratios say how many times
better ours is. Absolute figures depend on the machine and its neighbours; ratios of interleaved runs are what to look
at. In the tables, `ref` is the reference and `rust` ours. `single` is one alert, `b100` to `b50k` are batches of that
many, and `conc8x100` is eight callers at once with 100 alerts each. `rank10k` and `clusters10k` are the other two
routes on the batch of 10,000 alerts. To measure again, with `AML_SHARED` naming the folder that holds the reference:

    AML_SHARED=../shared ./scripts/bench.sh                        # waits until other processes are idle
    AML_SHARED=../shared nice -n -15 ./scripts/bench.sh --no-wait  # on a machine that others use
"""


def first_line(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
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


def yes(met):
    return "met" if met else "**not met**"


def throughput(report, name):
    servers = report["results"].get(name, {})
    return servers["rust"]["alerts_per_s"] / servers["ref"]["alerts_per_s"] if len(servers) == 2 else 0.0


def targets(report, more, kernels):
    """One line a target: what it is, what was measured, whether it is met, and whether its aim is."""
    lines = ["| work | must | aim | measured | must | aim |", "|---|---|---|---|---|---|"]

    def line(work, must, aim, measured, reached):
        lines.append(f"| {work} | {must} | {aim} | {measured} | {yes(reached[0])} | {yes(reached[1])} |")
    for name, label in (("b10k", "10,000"), ("b50k", "50,000")):
        ratio = throughput(report, name)
        if ratio:
            line(f"{label} alerts with explanations, throughput", "15x", "40x", f"{ratio:.1f}x", (ratio >= 15, ratio >= 40))
    for size, label in (("b10000", "10,000"), ("b50000", "50,000")):
        if more:
            ref, rust = more["plain"][size]["ref"]["median_ms"], more["plain"][size]["rust"]["median_ms"]
            line(f"{label} alerts without explanations", "5x", "15x", f"{ref / rust:.1f}x ({rust:.0f} ms for {ref:.0f} ms)",
                 (ref / rust >= 5, ref / rust >= 15))
    single = report["results"].get("single")
    if single:
        ours, theirs = single["rust"]["median_ms"], single["ref"]["median_ms"]
        line("one alert, keep-alive, explained: median", "1 ms", "0.3 ms", f"{ours:.2f} ms ({theirs / ours:.0f}x)",
             (ours < 1, ours < 0.3))
    large = report["results"].get("b50k")
    if large:
        idle = report["targets"]["rust"]["idle_rss_mb"]
        body = (more or {}).get("body_mb", {}).get("b50000") or next(
            (row["body_mb"] for row in (more or {}).get("growth", []) if row["alerts"] == 50_000), 191.6)
        above = large["rust"]["peak_rss_mb"] - idle
        line("50,000 alerts: peak memory above idle", f"{2 * body + 256:.0f} MiB", f"{body + 128:.0f} MiB",
             f"{above:.0f} MiB", (above < 2 * body + 256, above < body + 128))
    for about in kernels:
        line(*about)
    if not any("prediction" in about[0] for about in kernels):
        lines.append("| prediction kernel, one thread | LightGBM's C library | lleaves, 247,000 rows/s "
                     "| not measured in this run (it takes `cargo bench`) | open | open |")
    if more and not any("contributions" in about[0] for about in kernels):
        ours, theirs = more["contributions"]["rust"], more["contributions"]["lightgbm"]
        line("exact contributions, one thread (from outside: what explaining adds to a request)", "10x LightGBM", "40x",
             f"at least {ours:,.0f} rows/s, LightGBM {theirs:,.0f} ({ours / theirs:.1f}x)",
             (ours >= 10 * theirs, ours >= 40 * theirs))
    if more:
        growth = more["growth"]
        per = [1e3 * row["median_ms"] / row["alerts"] for row in growth]
        shown = ", ".join(f"{value:.1f}" for value in per)
        # Fixed costs make few rows dearer; more than linear would be an alert that costs more among more alerts.
        linear = per[-1] <= 1.2 * min(per)
        line("rows 1,000 to 200,000", "linear", "linear", f"{shown} µs per alert at " +
             ", ".join(f"{row['alerts']:,}" for row in growth), (linear, linear))
    return lines


def grown(more):
    lines = ["| alerts | body MiB | median ms | alerts/s | peak above idle MiB |", "|---:|---:|---:|---:|---:|"]
    for row in more["growth"]:
        lines.append(f"| {row['alerts']:,} | {row['body_mb']:.0f} | {row['median_ms']:.1f} | {row['alerts_per_s']:.0f} "
                     f"| {row['above_idle_mb']:.0f} |")
    return lines


def plain(more):
    lines = ["| alerts | reference ms (range) | ours ms (range) | ratio | largest score difference |",
             "|---:|---:|---:|---:|---:|"]
    for size, found in more["plain"].items():
        ref, rust = found["ref"], found["rust"]
        lines.append(f"| {int(size[1:]):,} | {ref['median_ms']:.0f} ({ref['min_ms']:.0f}–{ref['max_ms']:.0f}) "
                     f"| {rust['median_ms']:.1f} ({rust['min_ms']:.1f}–{rust['max_ms']:.1f}) "
                     f"| {ref['median_ms'] / rust['median_ms']:.1f}x | {found['difference']:.1e} |")
    return lines


def kernel_table(path):
    """The table that the bench `trees` printed: its lines, and its rows by model with the best set of instructions."""
    lines = [line for line in path.read_text().splitlines() if line.startswith("| ")] if path.exists() else []
    lines = [line for line in lines if line.count("|") == 11]
    found = {}
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] != "model":
            found[cells[0]] = cells     # the sets come from the plainest to the best
    return lines, found


def kernel_targets(found):
    """Targets of the reference's model, where it was measured, else of the synthetic one of its shape."""
    cells = found.get("reference") or found.get("synthetic, 31 leaves")
    if not cells:
        return []
    name, isa, raw, explained, raw_there, explained_there = *cells[:4], *cells[8:10]
    raw, explained, raw_there, explained_there = map(float, (raw, explained, raw_there, explained_there))
    return [("prediction kernel, one thread", "1,000,000 rows/s", "1,500,000 rows/s",
             f"{raw:,.0f} rows/s ({name}, {isa}), LightGBM {raw_there:,.0f} ({raw / raw_there:.1f}x)",
             (raw >= 1e6, raw >= 1.5e6)),
            ("exact contributions kernel, one thread", "100,000 rows/s", "150,000 rows/s",
             f"{explained:,.0f} rows/s ({name}, {isa}), LightGBM {explained_there:,.0f} "
             f"({explained / explained_there:.0f}x)", (explained >= 1e5, explained >= 1.5e5))]


def round_load(page):
    """The section of another script."""
    _, found, rest = page.read_text().partition(ROUND_LOAD + "\n")
    return (ROUND_LOAD + "\n" + rest.split("\n## ")[0]).rstrip() if found else ""


def main():
    results = pathlib.Path(sys.argv[1])
    report = json.loads((results / "servers.json").read_text())
    machine = report["machine"]
    print(INTRO)
    print("## Machine and versions\n")
    print(f"{machine['time']}, {machine['cores']} cores of {cpu()}, {platform.system()} {platform.release()}, "
          f"{first_line(['rustc', '--version'])}, Python {platform.python_version()}.")
    names = ("lightgbm", "shap", "pandas", "numpy", "fastapi", "pydantic", "uvicorn")
    print("The reference runs on " + ", ".join(f"{name} {version(name)}" for name in names) + ".")
    others = [server["other_cpu_share"] for servers in report["results"].values() for server in servers.values()]
    load = ", ".join(f"{value:.1f}" for value in machine["load"])
    print(f"Load average at the end: {load}. Other processes used {min(others):.2f} to {max(others):.2f} cores during "
          "the cases, both servers and the client going before them.")
    for name, target in report["targets"].items():
        if target["startup_s"]:
            print(f"{name}: up in {target['startup_s']:.2f} s, {target['idle_rss_mb']:.0f} MB when idle.")
    note = results / "note.txt"       # what else a reader should know, where somebody wrote it down
    if note.exists():
        print("\n" + note.read_text().strip())
    more = results / "more.json"
    more = json.loads(more.read_text()) if more.exists() else None
    kernel_lines, kernel_rows = kernel_table(results / "kernels.txt")
    kernels = kernel_targets(kernel_rows)
    print("\n## Targets\n\n*Must* is what a release has to reach, *aim* what we would like to reach.\n")
    print("\n".join(targets(report, more, kernels)))
    print("\n## Ratios\n")
    print("\n".join(ratios(report)))
    print("\n## Figures\n")
    print("\n".join(table(report)))
    if more:
        print("\n## Without explanations\n\nThe reference with its SHAP stage taken out, ours with `?explain=none`.\n")
        print("\n".join(plain(more)))
        print("\n## Growth\n\nA fresh server for every size; 200,000 alerts are four copies of the largest body.\n")
        print("\n".join(grown(more)))
    if kernel_lines:
        print("\n## Kernels, one thread\n\nOurs by set of instructions and LightGBM's C library, interleaved in one "
              "process (`cargo bench -p aml-miner\n--bench trees`); the best of nine runs each, rows a second and core. "
              "`alert_scorer`, `alert_ranker` and `cluster_scorer` are\nthe models that were shipped first, frozen.\n")
        print("\n".join([kernel_lines[0], "|---|---|" + "---:|" * 8, *kernel_lines[1:]]))
    steps = results / "kernels.txt"
    steps = [line for line in steps.read_text().splitlines() if not line.startswith("|")] if steps.exists() else []
    if any(steps):
        print("\n## The steps of a request by the number of alerts, one thread\n\n```")
        print("\n".join(steps).strip())
        print("```")
    kept = round_load(pathlib.Path(sys.argv[2]))
    if kept:
        print("\n" + kept)


if __name__ == "__main__":
    main()
