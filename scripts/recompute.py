#!/usr/bin/env python3
"""Computes an exported ledger again, independently of the program that wrote it, and compares.

    aml-subnet export DIR
    scripts/recompute.py DIR

What is stored of raw answers, traps, outcomes and times goes in; digests, tiers, likeness, canonical scores, settlements,
performance and weights are computed as docs/scoring_v1.md tells, and compared with what is stored. Python 3.11 or newer with
numpy, cryptography (or PyNaCl) and zstandard (or Python 3.14); scikit-learn measures where it is installed.

Numbers must agree within 1e-12 of the larger of 1 and themselves, the likeness of submissions, which is stored as a
32-bit computation gave it, within 1e-5; everything else exactly. What cannot be computed from an export is listed as
skipped, with its reason. Not looked at: the sr25519 signatures of answers, how traps were drawn, where outcomes came from.

Exit codes: 0 all is the same, 1 something differs, 2 the export cannot be read, or a package is missing.
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "recomputing"))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export", type=pathlib.Path, metavar="DIR", help="what `aml-subnet export DIR` wrote")
    parser.add_argument("--grace", type=int, default=3, metavar="DAYS", help="the validator's `grace`, in days (default 3)")
    parser.add_argument("--metrics", choices=("auto", "sklearn", "own"), default="auto",
                        help="who computes AUC, Brier, log loss, calibration error and NDCG (default: scikit-learn where installed)")
    parser.add_argument("--strict", action="store_true", help="what cannot be computed counts as a difference")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    try:
        from book import Book, Unreadable
        from measures import choose
        from season import Season
        from tally import Tally
        metrics = choose(options.metrics)
    except ImportError as error:
        print(f"recompute: {error}; python3 -m pip install numpy cryptography zstandard scikit-learn", file=sys.stderr)
        return 2
    tally = Tally()
    try:
        book = Book(options.export, tally)
        Season(book, tally, metrics, options.grace).recompute()
    except Unreadable as error:
        print(f"recompute: {error}", file=sys.stderr)
        return 2
    print(f"{options.export}: {len(book.rounds)} rounds, {len(book.miners)} miners, {len(book.answers)} answers, "
          f"{len(book.bodies)} bodies; measured by {metrics.NAME}\n")
    print(tally.table())
    return 1 if tally.differs or (options.strict and tally.skipped) else 0


if __name__ == "__main__":
    sys.exit(main())
