#!/usr/bin/env python3
"""Makes a worse alert scorer out of a good one: the leaves of some trees change places.

    worse_model.py trained_models OUT --scramble 0.4 --seed 1

Every score stays in the range that the good model has, every tree keeps its questions; only what it answers is mixed up.
With --scramble 1 nothing of the skill is left. OUT receives the model and its model_metadata.json.
"""
import argparse
import hashlib
import json
import pathlib
import random


def scrambled(text: str, share: float, seed: int) -> str:
    """The model text with the leaf values of a share of its trees shuffled, the first trees first."""
    draw = random.Random(seed)
    head, *trees = text.split("\nTree=")
    for index in range(round(share * len(trees))):
        trees[index] = "\n".join(shuffled(line, draw) for line in trees[index].split("\n"))
    return "\nTree=".join([head, *trees])


def shuffled(line: str, draw: random.Random) -> str:
    """A line of leaf values in another order; any other line as it is."""
    key, equals, values = line.partition("=")
    if key != "leaf_value":
        return line
    leaves = values.split(" ")
    draw.shuffle(leaves)
    return key + equals + " ".join(leaves)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--scramble", type=float, required=True, help="share of the trees, 0 to 1")
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()

    catalogue = json.loads((options.models / "model_metadata.json").read_text())
    name, entry = next((n, e) for n, e in catalogue["models"].items() if e["model"] == "alert_scorer")
    model = scrambled((options.models / name).read_text(), options.scramble, options.seed).encode()
    entry["sha256"] = hashlib.sha256(model).hexdigest()
    # A model's version ends with the first digits of its hash.
    entry["model_version"] = entry["model_version"].split("+")[0] + "+" + entry["sha256"][:12]
    entry["metrics"] = {}
    catalogue["models"] = {name: entry}

    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / name).write_bytes(model)
    (options.output / "model_metadata.json").write_text(json.dumps(catalogue, indent=2) + "\n")


if __name__ == "__main__":
    main()
