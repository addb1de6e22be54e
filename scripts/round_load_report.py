#!/usr/bin/env python3
"""The section of docs/benchmarks.md that scripts/round_load.sh measured: round_load_report.py RESULT.json [PAGE]

Without a page the section is printed; with one it takes the place of the old section there, or stands at the end.
"""
import json
import pathlib
import sys

HEADING = "## A round over one line"
NAMES = {"arrow": "Arrow, packed", "reference": "by reference", "json": "JSON"}


def megabytes(count):
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def head(result):
    machine, speed = result["machine"], f"{result['mbit']} Mbit/s in each direction" if result["mbit"] else "no limit"
    return f"""{HEADING}

`scripts/round_load.sh` measured these ({result['date']}, commit {result['commit']}, {machine['cores']} cores of {machine['cpu']}, {machine['system']}):
{result['miners']} stand-ins for miners and one validator on one machine, the line between them a bucket of tokens with {speed}. A day of
{result['alerts']} alerts of the generator, `explain={result['explain']}`, answers sealed. By reference miners are sent descriptors, and fetch the task from a file server on the
same machine, beside the line. Stand-ins are not scorers: what a miner
takes to score is not in these figures, but their cores are this machine's too. Bytes are what went over the connections, heads included.

    ./scripts/round_load.sh
"""


def totals(result):
    lines = ["| tasks | to miners | to the validator | fetched elsewhere | for each miner | from the first to the last answer | peak memory | processor time |",
             "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for found in result["rounds"]:
        if found["name"] == "small":
            continue
        name = NAMES[found["form"]]
        each = (found["to_miners"] + found["to_validator"]) / result["miners"]
        used = sum(step["processor_seconds"] for step in found["steps"].values())
        lines.append(f"| {name} | {megabytes(found['to_miners'])} | {megabytes(found['to_validator'])} | {megabytes(found['fetched'])} | {megabytes(each)} | "
                     f"{found['steps']['asked']['seconds']:.1f} s | {found['peak_bytes'] / 2**20:.0f} MiB | {used:.1f} s |")
    return lines


def steps(result):
    rounds = [found for found in result["rounds"] if found["name"] != "small"]
    names = [NAMES[found["form"]] for found in rounds]
    lines = ["| step | " + " | ".join(f"{name}: time | processor time" for name in names) + " |",
             "|---|" + "---:|---:|" * len(names)]
    for step in rounds[0]["steps"]:
        cells = [found["steps"].get(step) for found in rounds]
        shown = [f"{cell['seconds']:.1f} s | {cell['processor_seconds']:.1f} s" if cell else "– | –" for cell in cells]
        lines.append(f"| {step} | " + " | ".join(shown) + " |")
    return lines


def section(result):
    text = [head(result), *totals(result), "", "The validator's steps; waiting for the opening is not counted:", "", *steps(result), ""]
    return "\n".join(text)


def placed(page, new):
    """The page with the new section in the place of the old one, or at its end."""
    before, found, rest = page.partition(HEADING + "\n")
    if not found:
        return page.rstrip("\n") + "\n\n" + new
    following = rest.find("\n## ")
    return before + new + (rest[following:] if following >= 0 else "")


def main():
    new = section(json.loads(pathlib.Path(sys.argv[1]).read_text()))
    if len(sys.argv) < 3:
        print(new)
        return
    page = pathlib.Path(sys.argv[2])
    page.write_text(placed(page.read_text(), new))


if __name__ == "__main__":
    main()
