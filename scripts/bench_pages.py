#!/usr/bin/env python3
"""Makes a ledger with a year of rounds, and measures how fast pages and read API answer from it; used by bench_pages.sh.

    bench_pages.py make FOLDER [--rounds 365] [--alerts 50000] [--batch DIR]   an export for `aml-subnet import`; its newest day is large
    bench_pages.py measure URL [--requests 200] [--most 100]                   one request after the other; fails when a 99th percentile
                                                                              is above so many milliseconds
    bench_pages.py load URL [--seconds 10] [--connections 32]                  many readers at once

Everything comes from a seed. Scores, outcomes and names are made up; nothing is learned here but the time.
"""
import argparse
import base64
import concurrent.futures
import hashlib
import http.client
import json
import pathlib
import random
import statistics
import struct
import sys
import threading
import time
import urllib.parse

LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
DAY_MS = 86_400_000
LAST, NETUID, WINDOW = 20_483, 1, 30  # 30 January 2026
TYPOLOGIES = ["structuring", "layering", "peel chain", "mixing", "ransomware cash-out", "smurfing", "round trip", "fan in"]
SEVERITIES = ["low", "medium", "high", "critical"]
CHECKS = ["format", "cardinality", "range", "variance", "input_digest", "output_digest", "signature", "model_version", "in_time"]


def ss58(public):
    data = bytes([42]) + public
    number = int.from_bytes(data + hashlib.blake2b(b"SS58PRE" + data).digest()[:2], "big")
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = LETTERS[digit] + text
    return text


def sha(text):
    return hashlib.sha256(text if isinstance(text, bytes) else text.encode()).hexdigest()


def date_of(day):
    import datetime

    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()


class Export:
    """Tables of an export, written as they come."""

    def __init__(self, folder, tables):
        folder.mkdir(parents=True)
        (folder / "bodies").mkdir()
        self.folder, self.tables = folder, tables
        self.files = {name: open(folder / f"{name}.jsonl", "wb") for name in tables}
        self.digests, self.rows = {name: hashlib.sha256() for name in tables}, dict.fromkeys(tables, 0)

    def put(self, table, **row):
        line = json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        self.files[table].write(line)
        self.digests[table].update(line)
        self.rows[table] += 1

    def finish(self, schema):
        for file in self.files.values():
            file.close()
        tables = [{"name": name, "rows": self.rows[name], "sha256": self.digests[name].hexdigest()} for name in self.tables]
        manifest = {"format": "aml-ledger", "version": 1, "schema": schema, "tables": tables}
        (self.folder / "MANIFEST.json").write_text(json.dumps(manifest))


def roster_of(batch):
    """The alerts of a batch, and its digest."""
    import pyarrow.parquet

    names = ["alert_id", "address", "typology_type", "severity"]
    rows = pyarrow.parquet.read_table(batch / "alerts.parquet", columns=names).to_pylist()
    roster = [{"alert_id": row["alert_id"], "address": row["address"] or "", "typology": row["typology_type"] or "",
               "severity": row["severity"] or ""} for row in rows]
    return roster, sha((batch / "META.json").read_bytes())


class Year:
    def __init__(self, options, export):
        self.options, self.export, self.random = options, export, random.Random(7)
        publics = sorted(hashlib.sha256(b"miner %d" % number).digest() for number in range(options.miners))
        self.hotkeys = [ss58(public) for public in publics]

    def day(self, day):
        options, put, large = self.options, self.export.put, day == LAST
        name, opened = f"{NETUID}-{date_of(day)}-{WINDOW}", day * DAY_MS + DAY_MS // 16
        roster, batch = self.roster(day, options.alerts if large else options.others), sha(f"batch {day}")
        if large and options.batch:
            roster, batch = roster_of(options.batch)
        put("rounds", id=name, netuid=NETUID, day=day, window_days=WINDOW, step=6 if day < LAST - 7 or options.settled else 5, rules="v1", shadow=0, batch=batch,
            alerts=len(roster), opened_ms=opened, deadline_ms=opened + 900_000, commitment="0" * 64, published_ms=opened + 1_200_000,
            settled_ms=opened + 7 * DAY_MS if day < LAST - 7 or options.settled else None, rules_list=None, constants=None, opening_ms=None, beacon=None, held_ms=None,
            held_why=None, extended_ms=None, void_ms=None, void_why=None, late_ms=None, late_why=None, adopted=None, outcomes_ms=None)
        asks = {hotkey: {"uid": uid, "axon": None, "issued": [], "groups": [], "receipt_key": None} for uid, hotkey in enumerate(self.hotkeys)}
        put("tasks", round=name, packed={"salt": [7] * 32, "deadline_ms": opened + 900_000, "traps": None, "roster": roster, "asks": asks})
        self.miners(name, opened)
        scores = [self.random.random() ** 2 for _ in roster]
        voices = {hotkey: 1 / len(self.hotkeys) for hotkey in self.hotkeys}
        merged = [{"score": score, "deviation": self.random.random() / 9, "miners": len(self.hotkeys)} for score in scores]
        put("canonical", round=name, packed={"rules": "v1", "scores": merged, "weights": voices, "performance": {}})
        for place, (row, score) in enumerate(zip(roster, scores)):
            put("alerts", address=row["address"], round=name, place=place, alert_id=row["alert_id"], typology=row["typology"],
                severity=row["severity"], score=score)
        self.calibration(name, opened)
        self.settled(name, day, (roster, scores))
        if large:
            self.columns(name, scores)

    def roster(self, day, count):
        pick = self.random.randrange
        return [{"alert_id": f"alert-{date_of(day)}-{at:06}", "address": "0x" + sha(f"address {pick(count * 4)}")[:40],
                 "typology": TYPOLOGIES[pick(len(TYPOLOGIES))], "severity": SEVERITIES[pick(4)]} for at in range(count)]

    def miners(self, name, opened):
        checks = [{"check": check, "fault": None} for check in CHECKS]
        for uid, hotkey in enumerate(self.hotkeys):
            record = {"hotkey": hotkey, "reply": {"kind": "answered"}, "form": "btauth", "request": None, "status": 200, "receipt": None,
                      "headers": {}, "body": None, "bytes": 0, "asked_ms": opened, "took_ms": 900, "in_time": True}
            self.export.put("answers", round=name, hotkey=hotkey, body=None, asked_ms=opened, record=record, cipher=None, not_asked=0)
            seen = {"monotonicity": None, "entropy": None, "agreement": None, "similarity": None, "copies": 1}
            verdict = {"hotkey": hotkey, "uid": uid, "accepted": {"Ok": None}, "tier1": 1.0, "checks": checks, "tier2": None, "traps": [],
                       "observations": seen, "model_version": "1.0.0", "receipt_key": None, "took_ms": 900}
            self.export.put("verdicts", round=name, hotkey=hotkey, accepted=1, tier1=1.0, tier2=None, record=verdict, advantage=None)

    def calibration(self, name, opened):
        knots = [{"score": at / 8, "share": at * at / 80, "low": at * at / 100, "high": min(1.0, at * at / 66), "outcomes": 100} for at in range(9)]
        content = json.dumps({"version": 1, "round": name, "as_of_ms": opened, "days": 60, "rounds": ["2025-01-01"], "outcomes": 900, "illicit": 130,
                              "addresses": 700, "rarer": 110.0, "least": 100, "knots": knots}).encode()
        self.export.put("files", round=name, name="calibration", digest=sha(content), decoded=None, bytes=len(content), swept_ms=None,
                        content=base64.b64encode(content).decode())

    def settled(self, name, day, scored):
        roster, scores = scored
        seen = day * DAY_MS + 8 * DAY_MS
        known = [place for place in range(len(roster)) if self.random.random() < 0.6]
        labels = []
        for place in known:
            illicit = int(self.random.random() < scores[place] / 3)
            labels.append({"place": place, "illicit": bool(illicit), "relevance": 2 * illicit})
            self.export.put("outcomes", round=name, place=place, seen_ms=seen, address=roster[place]["address"], illicit=illicit,
                            relevance=2 * illicit, confirmed_ms=seen, replaced_ms=None)
        if day < LAST - 7 or self.options.settled:
            one = {"auc": 0.8, "brier": 0.1, "log_loss": 0.4, "ece": 0.05, "ndcg": 0.7, "score": 0.75}
            packed = {"rules": "v1", "labels": labels, "miners": dict.fromkeys(self.hotkeys, one), "canonical": one}
            self.export.put("settled", round=name, packed=packed)
            for hotkey in self.hotkeys:
                self.export.put("settlements", round=name, hotkey=hotkey, tier3=0.75)

    def columns(self, name, scores):
        """What each miner said of the large day."""
        for hotkey in self.hotkeys:
            own = [min(1.0, max(0.0, score + self.random.gauss(0, 0.05))) for score in scores]
            raw, worths = struct.pack(f"<{len(own)}d", *own), struct.pack(f"<{len(own)}h", *(0 for _ in own))
            self.export.put("columns", round=name, name=hotkey, alerts=len(own), worths_sha256=sha(worths), scores_sha256=sha(raw), swept_ms=None,
                            worths=base64.b64encode(worths).decode(), scores=base64.b64encode(raw).decode())


TABLES = ["rounds", "tasks", "bodies", "answers", "verdicts", "canonical", "alerts", "settled", "settlements", "miners", "weights", "files", "outcomes",
          "columns", "curves", "counts", "standings", "shares", "canonical_beside"]


def make(options):
    export = Export(options.folder, TABLES)
    year = Year(options, export)
    for day in range(LAST - options.rounds + 1, LAST + 1):
        year.day(day)
    for hotkey in year.hotkeys:
        export.put("miners", hotkey=hotkey, first_seen_ms=0, receipt_key=None, failures=None, next_try_ms=None)
    export.finish(options.schema)
    print(f"{options.rounds} rounds of {options.others} alerts, the newest of {export_rows(options)}; {options.miners} miners")


def export_rows(options):
    return options.alerts if not options.batch else len(roster_of(options.batch)[0])


class Client:
    """One connection that stays open."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.at = (parts.hostname, parts.port or 80)
        self.connection = http.client.HTTPConnection(*self.at, timeout=60)

    def get(self, path):
        """Milliseconds, and the body."""
        start = time.perf_counter()
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - start) * 1e3
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status}: {body[:300]!r}")
        return took, body


def percentile(times, share):
    times = sorted(times)
    return times[min(len(times) - 1, max(0, -(-len(times) * share // 100) - 1))]


def paths(client, requests):
    """Requests of each kind, of a newest round as it is found."""
    chance = random.Random(11)
    round_id = json.loads(client.get("/rounds?limit=1")[1])["rounds"][0]["id"]
    date = round_id.split("-", 1)[1].rsplit("-", 1)[0]
    day = json.loads(client.get(f"/alerts/{round_id}?limit=1000")[1])
    rows, total = day["alerts"], day["total"]
    typologies = [one["name"] for one in day["typologies"]]
    quoted = urllib.parse.quote
    pick, kinds = chance.choice, {}
    kinds["search by id"] = lambda: f"/page/alerts/{round_id}?q={quoted(pick(rows)['alert_id'])}"
    kinds["search by part of an id"] = lambda: f"/page/alerts/{round_id}?q={chance.randrange(100, 1000)}"
    kinds["search by address"] = lambda: f"/page/alerts/{round_id}?q={quoted(pick(rows)['address'])}"
    kinds["address over all rounds"] = lambda: f"/page/risk?address={quoted(pick(rows)['address'])}"
    kinds["filter by typology"] = lambda: f"/page/alerts/{round_id}?typology={quoted(pick(typologies))}"
    kinds["filter by severity"] = lambda: f"/page/alerts/{round_id}?severity={pick(SEVERITIES)}"
    kinds["filter by both, sorted"] = lambda: (
        f"/page/alerts/{round_id}?typology={quoted(pick(typologies))}&severity={pick(SEVERITIES)}&sort={pick(['-deviation', 'address', '-severity'])}")
    kinds["sorted"] = lambda: f"/page/alerts/{round_id}?sort={pick(['-severity', '-deviation', 'address', 'alert_id', 'typology'])}"
    kinds["any page of the day"] = lambda: f"/page/alerts/{round_id}?after={chance.randrange(1, total)}"
    kinds["JSON, a thousand rows"] = lambda: f"/alerts/{round_id}?limit=1000&after={chance.randrange(1, total)}"
    kinds["cases"] = lambda: f"/page/cases?date={date}&window_days={WINDOW}&by=address&after={chance.randrange(1, total // 8)}"
    kinds["cases by cluster"] = lambda: f"/page/cases?date={date}&window_days={WINDOW}&after={chance.randrange(1, 100)}"
    kinds["the newest day"] = lambda: "/"
    kinds["list of rounds"] = lambda: "/page/rounds"
    kinds["a round"] = lambda: f"/page/rounds/{round_id}"
    kinds["an alert"] = lambda: f"/page/alerts/{round_id}/{quoted(pick(rows)['alert_id'], safe='')}"
    return {name: [of() for _ in range(requests)] for name, of in kinds.items()}


def measure(options):
    client = Client(options.url)
    slow = []
    print(f"{'':<26} {'first':>8} {'median':>8} {'p99':>8} {'most':>8}   ms, {options.requests} requests one after the other")
    for name, wanted in paths(client, options.requests).items():
        first = client.get(wanted[0])[0]
        times = [client.get(path)[0] for path in wanted]
        p99 = percentile(times, 99)
        print(f"{name:<26} {first:>8.1f} {statistics.median(times):>8.1f} {p99:>8.1f} {max(times):>8.1f}", flush=True)
        if p99 > options.most:
            slow.append(name)
    if slow:
        print(f"FAILED: a 99th percentile above {options.most} ms: {', '.join(slow)}")
    return 1 if slow else 0


def load(options):
    """Readers that ask as fast as they are answered."""
    wanted = [path for of in paths(Client(options.url), 40).values() for path in of]
    end, times, lock = time.monotonic() + options.seconds, [], threading.Lock()

    def reader(number):
        chance, client, own = random.Random(number), Client(options.url), []
        while time.monotonic() < end:
            own.append(client.get(chance.choice(wanted))[0])
        with lock:
            times.extend(own)

    with concurrent.futures.ThreadPoolExecutor(options.connections) as readers:
        for done in [readers.submit(reader, number) for number in range(options.connections)]:
            done.result()
    print(f"{options.connections} readers, {options.seconds} s: {len(times) / options.seconds:.0f} requests/s, "
          f"median {statistics.median(times):.1f} ms, p99 {percentile(times, 99):.1f} ms")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words = parser.add_subparsers(dest="what", required=True)
    one = words.add_parser("make")
    one.add_argument("folder", type=pathlib.Path)
    one.add_argument("--rounds", type=int, default=365)
    one.add_argument("--alerts", type=int, default=50_000, help="of the newest day")
    one.add_argument("--others", type=int, default=500, help="of each other day")
    one.add_argument("--miners", type=int, default=64)
    one.add_argument("--batch", type=pathlib.Path, help="the newest day's alerts are those of this batch (needs pyarrow)")
    one.add_argument("--settled", action="store_true", help="the newest days are settled too")
    one.add_argument("--schema", type=int, default=2, help="version of the ledger's schema")
    for name in ("measure", "load"):
        one = words.add_parser(name)
        one.add_argument("url")
        one.add_argument("--requests", type=int, default=200)
        one.add_argument("--most", type=float, default=100.0)
        one.add_argument("--seconds", type=float, default=10.0)
        one.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    return {"make": make, "measure": measure, "load": load}[options.what](options)


if __name__ == "__main__":
    sys.exit(main())
