"""Makes twenty-five answers of one: as it is, with noise, with one code for every alert, with names that nobody knows, with nothing.

Usage: reasons_answers.py SCORES.parquet FOLDER
"""

import json
import pathlib
import random
import sys

import pyarrow.parquet

rows = pyarrow.parquet.read_table(sys.argv[1]).to_pylist()
folder = pathlib.Path(sys.argv[2])
HOSTILE = "<script>\u202e=cmd|' /C calc'!A0"


def explanation(of, number, chance):
    features = json.loads(of["explain_json"])["top_features"]
    if number < 16:
        # What it says, a feature less now and then, in another order, with another part.
        features = [{**one, "impact": one["impact"] * chance.uniform(0.5, 1.5)} for one in features if chance.random() < 0.8]
        chance.shuffle(features)
    elif number < 19:
        features = [{"feature": "is_mixer_like", "value": 1, "impact": 1.0 if number == 16 else chance.choice([1.0, -1.0])}]
    elif number < 21:
        features = [{"feature": HOSTILE, "value": HOSTILE, "impact": 9.0}, *features]
    elif number < 23:
        features = [{"feature": f"{HOSTILE}{at}", "value": 0, "impact": 1.0} for at in range(800)]
    else:
        return "{}" if number == 23 else HOSTILE
    return json.dumps({"score": of["score"], "base_value": 0.0, "top_features": features})


for number in range(25):
    chance = random.Random(number)
    noise = 0.0 if number == 0 else 0.02
    answer = [{
        "alert_id": row["alert_id"],
        "score": min(1.0, max(0.0, row["score"] + chance.gauss(0, noise))) if noise else row["score"],
        "model_version": row["model_version"],
        "latency_ms": 0.0,
        "explain_json": explanation(row, number, chance) if number else row["explain_json"],
    } for row in rows]
    (folder / f"{number:02}.json").write_text(json.dumps(answer))
