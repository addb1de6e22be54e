"""Computes the data and the sentences of published reasons again, from the batch alone and from docs/reasons.md, and compares. With
answers and their voices the merging too.

Usage: reasons.py BATCH CANONICAL.json [VOICE:ANSWER.json ...]

Independent of the program: the catalogue is read from the page, expressions and merging are computed here. Numbers must agree within
1e-9 of the larger of 1 and themselves, support within 2e-6, texts to the letter. Needs pyarrow. Exit codes: 0 all is the same, 1 something differs.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "recomputing"))

from explaining import MOST, Merging, said  # noqa: E402
from reason_data import Batch, catalogue, in_words  # noqa: E402


def merged(rows, voiced):
    """Of each alert the codes that enough voices share, the strongest first."""
    place = {row["alert_id"]: at for at, row in enumerate(rows)}
    merging = Merging([row["score"] for row in rows])
    for voice, answer in voiced:
        scores = [score for _, score in sorted((place[row["alert_id"]], row["score"]) for row in answer)]
        merging.add(voice, said(scores, {place[row["alert_id"]]: row["explain_json"] for row in answer}))
    return [merging.strongest(at) for at in range(len(rows))]


def compare_merging(rows, batch, codes, voiced, wrong):
    for row, expected in zip(rows, merged(rows, voiced)):
        expected = [one for one in expected if batch.datum(codes[one[0]][2], row["alert_id"]) is not None][:MOST]
        told = [(reason["code"], reason["effect"], reason["support"]) for reason in row["reasons"]]
        same = len(told) == len(expected) and all(
            one[:2] == other[:2] and abs(one[2] - other[2]) <= 2e-6 for one, other in zip(told, expected))
        if not same:
            wrong.append(f"{row['alert_id']}: {told}, merged again {expected}")


def main():
    batch, rows = Batch(pathlib.Path(sys.argv[1])), json.loads(pathlib.Path(sys.argv[2]).read_text())
    codes = catalogue()
    compared, wrong, used = 0, [], set()
    for row in rows:
        if [reason["code"] for reason in row["reasons"]] != row["reason_codes"] or len(row["reasons"]) > 5:
            wrong.append(f"{row['alert_id']}: the codes are not those of its reasons")
        for reason in row["reasons"]:
            sentence, unit, expression = codes[reason["code"]]
            expected = batch.datum(expression, row["alert_id"])
            told = reason["name"] if reason["name"] is not None else reason["value"]
            compared += 1
            used.add(reason["code"])
            if isinstance(told, str) or isinstance(expected, str) or expected is None:
                same = told == expected
            else:
                same = abs(told - expected) <= 1e-9 * max(1.0, abs(expected))
            text = sentence.replace("{}", in_words(expected, unit), 1) if expected is not None else ""
            if not same or reason["text"] != text or not 0.05 <= reason["support"] <= 1.000001:
                wrong.append(f"{row['alert_id']}: {reason}, computed {expected!r}: {text}")
    voiced = [(float(voice), json.loads(pathlib.Path(path).read_text()))
              for voice, path in (argument.split(":", 1) for argument in sys.argv[3:])]
    if voiced:
        compare_merging(rows, batch, codes, voiced, wrong)
    for line in wrong[:20]:
        print(f"differs: {line}")
    print(f"{compared} reasons of {len(rows)} alerts, {len(used)} of {len(codes)} codes, merged again from {len(voiced)} answers: {len(wrong)} differ")
    sys.exit(1 if wrong or not compared else 0)


main()
