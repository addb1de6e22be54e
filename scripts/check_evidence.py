#!/usr/bin/env python3
"""Checks evidence packs offline: who said what, what voices come from, and the canonical scores.

    aml-subnet evidence --round 1-2026-01-05-30 --out evidence.zip
    scripts/check_evidence.py evidence.zip

A pack is a ZIP file of the form that docs/evidence.md describes. Nothing is asked of anybody: signatures, digests, commitments,
receipts, columns, standings, curves, voices, canonical scores, probabilities, reasons and shares are computed from the pack as
docs/evidence.md, docs/scoring.md, docs/reading_scores.md, docs/reasons.md, docs/sealing.md and docs/receipts.md tell, and compared with what it says. Several
packs, or a folder of them, are also held against each other: moments and probabilities come from the rounds before.

Python 3.11 or newer with numpy, cryptography, zstandard and py-sr25519-bindings. Numbers must agree within 1e-12 of the larger
of 1 and themselves, prices and what comes from other packs within 1e-9. What cannot be checked is listed as skipped, with its reason.

Not looked at: whether outcomes are true, whether the batch was good, whether somebody was not asked who should have been.

Exit codes: 0 all holds, 1 something does not, 2 a pack cannot be read, or a package is missing.
"""
import argparse
import os
import pathlib
import sys

# The matrices are small: threads of a library would wait for each other longer than they work.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "recomputing"), str(HERE)]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packs", nargs="+", type=pathlib.Path, metavar="PACK", help="packs, or folders of packs")
    parser.add_argument("--beside", action="append", default=[], type=pathlib.Path, metavar="PACK",
                        help="packs of rounds before that these are held against; they are not checked themselves")
    parser.add_argument("--batches", type=pathlib.Path, metavar="FOLDER",
                        help="directories of batches, as 2026-01-05_w30: the data of reasons are checked too (needs pyarrow)")
    parser.add_argument("--hotkey", metavar="ADDRESS", help="the validator that must have signed")
    parser.add_argument("--alert", metavar="ID", help="tell how the score of this alert came about")
    parser.add_argument("--grace", type=int, default=3, metavar="DAYS", help="the validator's `grace`, in days (default 3)")
    parser.add_argument("--from-first", action="store_true",
                        help="the packs begin with the subnet's first round under rules v2: references are checked too")
    parser.add_argument("--strict", action="store_true", help="what cannot be checked counts as a difference")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    try:
        from evidence import Evidence
        from packs import Broken

        if options.batches is not None:
            import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        print(f"check_evidence: {error}; python3 -m pip install numpy cryptography zstandard py-sr25519-bindings pyarrow", file=sys.stderr)
        return 2
    try:
        evidence = Evidence(options.hotkey, (options.grace, options.from_first), options.batches)
        evidence.run(options.packs, options.beside)
        told = evidence.told(options.alert)
    except (Broken, OSError) as error:
        print(f"check_evidence: {error}", file=sys.stderr)
        return 2
    except (KeyError, TypeError, IndexError, ValueError, AttributeError, StopIteration) as error:
        print(f"check_evidence: a pack does not have the form that docs/evidence.md describes: {error!r}", file=sys.stderr)
        return 1
    print(f"{evidence.summary()}\n\n{evidence.tally.table()}")
    if told:
        print(f"\n{told}")
    return 1 if evidence.tally.differs or (options.strict and evidence.tally.skipped) else 0


if __name__ == "__main__":
    sys.exit(main())
