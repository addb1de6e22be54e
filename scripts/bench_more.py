#!/usr/bin/env python3
"""What scripts/bench.sh measures beside the reference's own cases: bench_more.py PEER DATA OUT SERVER-COMMAND

* without explanations: the reference with its SHAP stage taken out, beside ours with `?explain=none`, interleaved
* how time and memory of our server grow with the rows, from 1,000 to 200,000 alerts
* exact contributions on one thread, from outside: what explaining adds to a request, beside LightGBM's C library

PEER is the directory of measure.py, DATA holds the bodies, OUT is a JSON file; {port} stands in SERVER-COMMAND.
"""
import json
import pathlib
import statistics
import sys
import time

PEER, DATA, OUT, COMMAND = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), sys.argv[4]
sys.path.insert(0, str(PEER))

import measure  # noqa: E402
import orjson  # noqa: E402

PLAIN = ("from aml_miner.models.base_model import BaseModel; "
         "BaseModel.create_explanations = lambda self, x, scores, top=5: [chr(123) + chr(125)] * len(scores); "
         "from aml_miner.api.server import main; main()")
REFERENCE = (f"PYTHONPATH={PEER}/reference PYTHONDONTWRITEBYTECODE=1 AML_PORT={{port}} "
             f"exec {sys.executable} -c '{PLAIN}'")
ROUNDS = 4


def timed(target, path, body, requests):
    case = ("", path, None, requests, 1, 0)
    block, answers = measure.block(target, case, target.message(path, body), requests, 0)
    status, raw = answers[-1]
    assert status == 200, raw[:300]
    return block, orjson.loads(raw)


def plain(ref, ours):
    """Seconds of both without explanations, and their largest difference of a score."""
    found = {}
    for size, requests in (("b1000", 5), ("b10000", 2), ("b50000", 1)):
        body = (DATA / size / "body.json").read_bytes()
        times, scores = {"ref": [], "rust": []}, {}
        for round_ in range(ROUNDS + 1):                       # the first warms up
            for name, target, path in (("ref", ref, "/score/alerts"), ("rust", ours, "/score/alerts?explain=none")):
                block, answer = timed(target, path, body, requests)
                scores[name] = {row["alert_id"]: row["score"] for row in answer}
                times[name] += block["times"] if round_ else []
        differ = max(abs(scores["ref"][key] - scores["rust"][key]) for key in scores["ref"])
        found[size] = {name: {"median_ms": 1e3 * statistics.median(t), "min_ms": 1e3 * min(t), "max_ms": 1e3 * max(t)}
                       for name, t in times.items()} | {"difference": differ}
        print(f"  plain {size}: ref {found[size]['ref']['median_ms']:.1f} ms, "
              f"rust {found[size]['rust']['median_ms']:.1f} ms", file=sys.stderr)
    return found


def copies(body, count):
    """The same rows `count` times, under identifiers of their own."""
    parts = {table: [] for table in ("alerts", "features", "clusters", "money_flows")}
    for copy in range(count):
        doc = orjson.loads(body)
        for table, rows in doc.items():
            for row in rows if table in parts else []:
                for key in ("alert_id", "address", "cluster_id", "from_address", "to_address"):
                    if row.get(key) is not None:
                        row[key] = f"{row[key]}-{copy}"
            if table in parts:
                parts[table].append(orjson.dumps(rows)[1:-1])
    joined = [b'"%s":[%s]' % (table.encode(), b",".join(part for part in rows if part)) for table, rows in parts.items()]
    return b"{" + b",".join(joined) + b"}"


def growth(command):
    found = []
    for size, count, requests in (("b1000", 1, 10), ("b10000", 1, 4), ("b50000", 1, 3), ("b50000", 4, 2)):
        body = (DATA / size / "body.json").read_bytes()
        body = body if count == 1 else copies(body, count)
        ours = measure.Target("rust", command, log_dir=OUT.parent)    # a fresh one: its peak is this size's
        try:
            idle = ours.rss()
            block, answer = timed(ours, "/score/alerts", body, requests)
        finally:
            ours.stop()
        rows = len(answer)
        found.append({"alerts": rows, "body_mb": len(body) / 2**20, "median_ms": 1e3 * statistics.median(block["times"]),
                      "alerts_per_s": rows / statistics.median(block["times"]),
                      "above_idle_mb": (block["peak"] - idle) / 2**20})
        print(f"  growth {rows}: {found[-1]['median_ms']:.1f} ms", file=sys.stderr)
    return found


def contributions(command):
    """Rows a second of one thread. Ours are too low: writing the explanations is counted as well."""
    sys.path.insert(0, str(PEER / "reference"))
    from loguru import logger
    logger.remove()
    from aml_miner.api import server
    body = (DATA / "b10000" / "body.json").read_bytes()
    batch = server.BatchData.model_validate(json.loads(body))
    scorer = server.AlertScorerModel()
    scorer.load_model(server.settings.ALERT_SCORER_PATH)
    matrix = scorer.prepare_features(*server.frames(batch))[:1000]
    ours, adds, theirs = measure.Target("one", f"API_THREADS=1 API_JOBS=1 {command}", log_dir=OUT.parent), [], []
    try:
        for round_ in range(ROUNDS + 1):                       # the first warms up
            times = {how: timed(ours, f"/score/alerts?explain={how}", body, 2)[0]["times"] for how in ("none", "top")}
            start = time.perf_counter()
            scorer.booster.predict(matrix, pred_contrib=True, num_threads=1)
            if round_:
                adds.append(statistics.median(times["top"]) - statistics.median(times["none"]))
                theirs.append(time.perf_counter() - start)
    finally:
        ours.stop()
    return {"rust": 10_000 / statistics.median(adds), "lightgbm": 1000 / statistics.median(theirs)}


def main():
    targets = []
    try:
        for name, command in (("plain-ref", REFERENCE), ("plain-rust", COMMAND)):
            targets.append(measure.Target(name, command, log_dir=OUT.parent))
        result = {"plain": plain(*targets)}
    finally:
        for target in targets:
            target.stop()
    result["growth"] = growth(f"API_MAX_BODY_BYTES=1073741824 API_MAX_DECODED_BYTES=1073741824 {COMMAND}")
    result["contributions"] = contributions(COMMAND)
    OUT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
