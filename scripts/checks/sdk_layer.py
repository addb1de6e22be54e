#!/usr/bin/env python3
"""What the public SDK knows of the newest runtime, beside what we use of it: names, types of values, arguments of calls.

    sdk_layer.py --subnet aml-subnet --layer SITE-PACKAGES/bittensor/_generated

SDK 11 ships a layer that is generated from the metadata of the chain. It names types and does not spell them out, so that a
struct is compared by its name alone. Exits with 1 when something that we use has another type or other arguments there;
what is not there is listed.
"""
import argparse
import importlib.util
import inspect
import json
import pathlib
import re
import subprocess
import sys

# Types around a number or a list, and what they are read as.
WITHIN = {
    "TaoBalance": "u64", "AlphaBalance": "u64", "PerU16": "u16", "NetUid": "u16", "NetUidStorageIndex": "u16", "MechId": "u8",
    "BoundedVec": "Vec<u8>", "VecDeque": "Vec", "RoundNumber": "u64",
}
# Structs of ours, and the names that the runtime has for them; what is read byte by byte.
STRUCTS = {"Stored": "MinerCollateralState", "(u64, Vec<u8>, Vec<u8>)": "Pulse"}
WIDTHS = ["u8", "u16", "u32", "u64", "u128"]


def load(layer: pathlib.Path, name: str):
    spec = importlib.util.spec_from_file_location(f"layer_{name}", layer / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def plain(text: str) -> str:
    return re.sub(r"\w+", lambda word: WITHIN.get(word.group(), word.group()), text).replace(" ", "")


def fits(theirs: str, ours: str) -> bool:
    """Whether a value of their type can be read as ours: the same, or narrower numbers."""
    theirs, ours = plain(theirs), plain(STRUCTS.get(ours, ours))
    if re.sub(r"\bu\d+\b", "n", theirs) != re.sub(r"\bu\d+\b", "n", ours):
        return False
    pairs = zip(re.findall(r"\bu\d+\b", theirs), re.findall(r"\bu\d+\b", ours))
    return all(WIDTHS.index(one) <= WIDTHS.index(other) for one, other in pairs)


class Layer:
    def __init__(self, folder: pathlib.Path):
        self.modules = {name: load(folder, name) for name in ("storage", "calls", "constants", "runtime_apis", "errors")}
        self.refusals = {(one.pallet, one.name) for one in self.modules["errors"].ERRORS.values()}

    def find(self, kind: str, pallet: str, name: str):
        module = {"storage": "storage", "call": "calls", "constant": "constants", "api": "runtime_apis"}[kind]
        return getattr(getattr(self.modules[module], pallet, None), name, None)

    def judge(self, kind: str, pallet: str, name: str, wanted: str):
        """(`same`, `missing` or `other`, what is there)."""
        if kind == "refusal":
            return ("same" if (pallet, name) in self.refusals else "missing"), ""
        found = self.find(kind, pallet, name)
        if found is None:
            return "missing", ""
        if kind == "call":
            theirs = ", ".join(inspect.signature(found).parameters)
            return ("same" if theirs == wanted else "other"), theirs
        theirs = getattr(found, "value_type_ident", "")
        return ("same" if not theirs or not wanted or fits(theirs, wanted) else "other"), theirs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subnet", required=True)
    parser.add_argument("--layer", type=pathlib.Path, required=True)
    args = parser.parse_args()
    used = json.loads(subprocess.run([args.subnet, "chain", "needs", "--json"], check=True, capture_output=True).stdout)
    layer, counts = Layer(args.layer), {"same": 0, "missing": 0, "other": 0}
    for one in used:
        if one["kind"] in ("event", "form"):  # the layer has neither
            continue
        pallet, name = one["name"].split(".")
        verdict, theirs = layer.judge(one["kind"], pallet, name, one["wanted"])
        counts[verdict] += 1
        if verdict != "same":
            print(f"{verdict}: {one['kind']} {one['name']}" + (f": {theirs}, we use {one['wanted']}" if theirs else ""))
    print(f"{counts['same']} as we use them, {counts['missing']} not there, {counts['other']} otherwise")
    sys.exit(counts["other"] > 0 or counts["same"] < 40)


if __name__ == "__main__":
    main()
