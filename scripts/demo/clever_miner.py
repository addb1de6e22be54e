#!/usr/bin/env python3
"""An inference API without a model of its own: what somebody might try who wants to be paid for the work of others.

    clever_miner.py --port N --secret TEXT copy --of URL --noise 0.8     the answers of another API, with noise on them
    clever_miner.py --port N --secret TEXT stale --published DIR         the newest canonical scores, by address

Its answers are signed like anybody's, so that they count and are judged by what they say.
"""
import argparse
import hashlib
import json
import math
import pathlib
import random
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from receipts import Key  # noqa: E402


def noisy(of: str, noise: float):
    """Asks the API at `of` and moves every score on the scale of log-odds."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def scores(raw: bytes, _alerts):
        request = urllib.request.Request(of + "/score/alerts?explain=none", raw, {"content-type": "application/json"})
        with opener.open(request, timeout=60) as answer:
            rows = json.load(answer)
        draw = random.Random(hashlib.sha256(raw).digest())
        return {row["alert_id"]: moved(row["score"], draw.gauss(0.0, noise)) for row in rows}

    return scores


def moved(score: float, by: float) -> float:
    inside = min(max(score, 1e-6), 1 - 1e-6)
    return 1 / (1 + math.exp(-math.log(inside / (1 - inside)) - by))


def stale(published: pathlib.Path):
    """The newest published score of the same address; the mean of that day for addresses that had none."""

    def scores(_raw: bytes, alerts):
        days = sorted(published.glob("*/canonical.json"))
        rows = json.loads(days[-1].read_text()) if days else []
        known = {row["address"]: row["score"] for row in rows}
        mean = sum(known.values()) / len(known) if known else 0.1
        # Without any knowledge all would be told alike, which no validator takes for an answer.
        guess = random.Random(str(days[-1:]))
        return {alert["alert_id"]: known.get(alert["address"], moved(mean, guess.gauss(0.0, 0.01))) for alert in alerts}

    return scores


def handler(scores, key: Key, version: str):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        # One segment per answer.
        wbufsize = -1

        def reply(self, body: bytes, headers=()):
            self.send_response(200)
            for name, value in [("content-type", "application/json"), ("content-length", str(len(body))), *headers]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            self.reply(b'{"status":"ready"}')

        def do_POST(self):
            raw = self.rfile.read(int(self.headers["content-length"]))
            alerts = json.loads(raw)["alerts"]
            told = scores(raw, alerts)
            rest = {"model_version": version, "latency_ms": 0.1, "explain_json": "{}"}
            rows = [{"alert_id": alert["alert_id"], "score": told[alert["alert_id"]], **rest} for alert in alerts]
            body = json.dumps(rows).encode()
            self.reply(body, [("x-aml-receipt", key.receipt(raw, body, version))])

        def log_message(self, *_):
            pass

    return Handler


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--secret", required=True, help="what the key of its receipts is made from")
    kinds = parser.add_subparsers(dest="kind", required=True)
    copy = kinds.add_parser("copy")
    copy.add_argument("--of", required=True, help="URL of the API that knows something")
    copy.add_argument("--noise", type=float, required=True, help="standard deviation, in log-odds")
    old = kinds.add_parser("stale")
    old.add_argument("--published", type=pathlib.Path, required=True, help="where a validator publishes")
    options = parser.parse_args()

    scores = noisy(options.of, options.noise) if options.kind == "copy" else stale(options.published)
    key = Key(hashlib.sha256(options.secret.encode()).digest())
    ThreadingHTTPServer(("127.0.0.1", options.port), handler(scores, key, f"{options.kind}-1.0.0")).serve_forever()


if __name__ == "__main__":
    main()
