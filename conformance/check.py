#!/usr/bin/env python3
"""Checks the conformance vectors with readers that were written from the pages, without a line of the program.

    python3 -m pip install numpy cryptography zstandard py-sr25519-bindings pyarrow
    python3 conformance/check.py                  all files
    python3 conformance/check.py btauth.json      this one

Every case has to come out as `expected` says: the same values, or a refusal by the same code. Numbers must agree within 1e-12 of the larger of 1 and
themselves, prices within 1e-9. What cannot be looked at is listed as skipped, with its reason.

Exit codes: 0 all cases come out, 1 one does not, 2 a package or a file is missing.
"""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
SCRIPTS = HERE.parent / "scripts"
sys.path[:0] = [str(HERE / "readers"), str(SCRIPTS / "recomputing"), str(SCRIPTS)]
FORMAT, VERSION = "aml-conformance", 1


class Report:
    """What came out as expected, what did not, and what was not looked at."""

    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], {}

    def same(self, where, expected, own):
        if expected == own:
            self.passed += 1
        else:
            self.failed.append(f"{where}: expected {shorten(expected)}, came out {shorten(own)}")

    def close(self, where, expected, own, tolerance=1e-12):
        """The same numbers, in whatever lists they stand."""
        pairs = list(flat(expected, own))
        if all(one is other or (one is not None and other is not None and near(one, other, tolerance)) for one, other in pairs):
            self.passed += 1
        else:
            self.failed.append(f"{where}: expected {shorten(expected)}, came out {shorten(own)}")

    def skip(self, what, why):
        self.skipped[what] = why


def near(one, other, tolerance):
    return abs(one - other) <= tolerance * max(1.0, abs(one), abs(other))


def flat(one, other):
    if isinstance(one, list) and hasattr(other, "__len__") and len(one) == len(other):
        for left, right in zip(one, other):
            yield from flat(left, right)
    elif isinstance(one, list) or hasattr(other, "__len__"):
        yield None, 0.0
    else:
        yield one, other


def shorten(value):
    text = repr(value)
    return text if len(text) <= 300 else text[:297] + "..."


def checkers():
    """By file name, what looks at it. Raises ImportError where a package is missing."""
    import kept
    import scored
    import signed

    return {
        "btauth.json": signed.btauth, "btauth_sdk11.json": signed.btauth, "answers.json": signed.answers, "sealed.json": signed.sealed,
        "receipts.json": signed.receipts, "receipts_v2.json": signed.receipts, "v10.json": signed.v10,
        "scoring_v1.json": scored.first, "scoring_v1_measures.json": scored.measures,
        "scoring_v2.json": scored.second, "scoring_v2_rules.json": scored.rules,
        "evidence.json": kept.evidence, "batches.json": kept.batches,
    }


def main():
    wanted = sys.argv[1:]
    if any(one.startswith("-") for one in wanted):
        print(__doc__)
        return 0 if set(wanted) <= {"-h", "--help"} else 2
    try:
        known = checkers()
    except ImportError as error:
        print(f"check.py: {error}; python3 -m pip install numpy cryptography zstandard py-sr25519-bindings pyarrow", file=sys.stderr)
        return 2
    there = {path.name for path in HERE.glob("*.json")}
    if set(wanted) - set(known) or there != set(known):
        print(f"check.py: no reader, or no file: {sorted((set(wanted) - set(known)) | (there ^ set(known)))}", file=sys.stderr)
        return 2
    failed = 0
    for name in wanted or sorted(known):
        file, report = json.loads((HERE / name).read_text()), Report()
        if (file.get("format"), file.get("version")) != (FORMAT, VERSION):
            print(f"check.py: {name} is of version {file.get('version')}, which is not known here", file=sys.stderr)
            return 2
        known[name](file, report)
        print(f"{name:<26} {report.passed:>6} as expected, {len(report.failed)} otherwise")
        for text in report.failed[:8]:
            print(f"  OTHERWISE: {text}")
        for what, why in report.skipped.items():
            print(f"  skipped: {what}: {why}")
        failed += len(report.failed)
    print("all come out as expected" if not failed else f"{failed} come out otherwise")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
