#!/usr/bin/env python3
"""Drives a soak: brings days of alerts, loads every program, has models loaded anew, and samples what processes hold.
Used by scripts/soak.sh; leaves samples.csv and counts.json in its folder.
"""
import argparse
import collections
import csv
import http.client
import json
import os
import pathlib
import random
import re
import signal
import socket
import threading
import time
import urllib.parse

SAMPLES = 720  # at most so many of a process
RELOAD_SECONDS = 60
ONE_ALERT = {
    "alerts": [
        {"alert_id": "a1", "address": "5F1", "typology_type": "structuring", "severity": "high", "volume_usd": "12500.50",
         "alert_confidence_score": 0.82, "window_days": 7, "processing_date": "2025-10-26"},
        {"alert_id": "a2", "address": "5F2", "severity": "low", "alert_confidence_score": 0.3, "volume_usd": 90},
    ],
    "features": [{"address": "5F1", "degree_in": 12, "degree_out": 3, "total_in_usd": 40210.5, "is_whale": False}],
}


class Counts:
    """What was asked for, and what came of it, by kind."""

    def __init__(self):
        self.lock, self.by_kind = threading.Lock(), collections.defaultdict(collections.Counter)

    def add(self, kind: str, outcome):
        with self.lock:
            self.by_kind[kind][str(outcome)] += 1

    def total(self) -> dict:
        with self.lock:
            return {kind: dict(outcomes) for kind, outcomes in self.by_kind.items()}


class Caller:
    """One caller of one program, over one connection that is made again when it broke."""

    def __init__(self, url: str, counts: Counts):
        place = urllib.parse.urlsplit(url)
        self.host, self.port, self.counts, self.line = place.hostname, place.port, counts, None

    def ask(self, kind: str, method: str, path: str, body=None, headers=None):
        for attempt in range(2):
            new = self.line is None
            if new:
                self.line = http.client.HTTPConnection(self.host, self.port, timeout=120)
            try:
                self.line.request(method, path, body, headers or {})
                answer = self.line.getresponse()
                said = answer.read()
                self.counts.add(kind, answer.status)
                if answer.will_close:
                    self.close()
                return answer.status, said
            except (OSError, http.client.HTTPException) as error:
                self.close()
                # An idle connection may have been closed at its end: that is no loss.
                if new or attempt or isinstance(error, TimeoutError):
                    self.counts.add(kind, type(error).__name__)
                    return None, b""
        return None, b""

    def close(self):
        if self.line:
            self.line.close()
        self.line = None


def form(batch: pathlib.Path) -> tuple:
    """A day as multipart/form-data."""
    edge, parts = "soak-boundary-7f3a", []
    for table in ("alerts", "features", "clusters", "money_flows"):
        file = batch / f"{table}.parquet"
        if file.exists():
            head = f'--{edge}\r\ncontent-disposition: form-data; name="{table}"; filename="{table}.parquet"\r\n\r\n'
            parts.append(head.encode() + file.read_bytes() + b"\r\n")
    return b"".join(parts) + f"--{edge}--\r\n".encode(), {"content-type": f"multipart/form-data; boundary={edge}"}


class Soak:
    def __init__(self, args):
        self.args, self.work = args, pathlib.Path(args.work)
        self.processes = dict(one.split("=") for one in args.process)
        self.disks = {name: folders.split(",") for name, folders in (one.split("=") for one in args.disk)}
        self.counts, self.ended, self.reloads, self.released = Counts(), threading.Event(), 0, 1
        self.newest = next((self.work / "batches").iterdir())

    # What callers do, again and again until the end.
    def single(self, draw):
        caller, body = Caller(self.args.api, self.counts), json.dumps(ONE_ALERT).encode()
        while not self.ended.wait(draw.uniform(0.05, 0.2)):
            path = draw.choice(["/score/alerts", "/score/alerts?explain=top", "/rank/alerts"])
            caller.ask("single " + path.split("?")[0], "POST", path, body, {"content-type": "application/json"})

    def whole(self, draw):
        caller = Caller(self.args.api, self.counts)
        while not self.ended.wait(draw.uniform(1, 3)):
            body, headers = form(self.newest)
            path = draw.choice(["/score/alerts", "/score/clusters"])
            headers["accept"] = draw.choice(["application/json", "application/x-ndjson"])
            caller.ask("day " + path, "POST", path, body, headers)

    def malformed(self, draw):
        caller = Caller(self.args.api, self.counts)
        while not self.ended.wait(draw.uniform(0.5, 1)):
            body = draw.choice([b"{", b"[]", json.dumps(ONE_ALERT).encode()[: draw.randint(1, 300)], os.urandom(2000)])
            caller.ask("malformed", "POST", "/score/alerts", body, {"content-type": "application/json"})

    def reader(self, draw):
        caller = Caller(self.args.validator, self.counts)
        while not self.ended.wait(draw.uniform(0.5, 1.5)):
            path = draw.choice(["/", "/rounds", "/miners", "/weights", "/metrics", "/page/rounds", "/page/drift", "day"])
            if path == "day":
                # The newest one that is published: of the newest of all there are no scores yet.
                _, said = caller.ask("reader", "GET", "/rounds", headers={"accept": "application/json"})
                days = re.findall(rb'"id":"\d+-(\d{4}-\d\d-\d\d)-', said)
                if not days:
                    continue
                path = f"/canonical/{days[0].decode()}"
            caller.ask("reader", "GET", path)

    def stranger(self, draw):
        host, port = self.args.axon.rsplit(":", 1)
        caller = Caller(f"http://{self.args.axon}", self.counts)
        while not self.ended.wait(draw.uniform(0.2, 1)):
            if draw.random() < 0.5:
                caller.ask("stranger", "POST", "/1/score/alerts", b"{}", {"content-type": "application/json"})
                continue
            try:  # who opens a connection, says half of something and goes
                with socket.create_connection((host, int(port)), timeout=10) as line:
                    line.sendall(b"POST /1/score/alerts HTTP/1.1\r\nhost: x\r\ncontent-le")
                    self.ended.wait(draw.uniform(0, 1))
                self.counts.add("half a request", "left")
            except OSError as error:
                self.counts.add("half a request", type(error).__name__)

    # What the driver does beside them.
    def metrics(self, url: str) -> dict:
        _, text = Caller(url, Counts()).ask("", "GET", "/metrics")
        found = re.findall(r"^(\w+(?:\{[^}]*\})?) (\S+)$", text.decode(), re.M)
        return {name: float(value) for name, value in found}

    def published(self) -> int:
        """How many days are published, so far as the ledger of the validator says it."""
        seen = self.metrics(self.args.validator)
        return int(sum(value for name, value in seen.items() if re.match(r'aml_validator_rounds\{step="(published|settled)"', name)))

    def sample(self, began: float, out):
        at = round(time.monotonic() - began, 1)
        for name, pid in self.processes.items():
            try:
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
                row = [re.search(rf"^{key}:\s+(\d+)", status, re.M).group(1) for key in ("VmRSS", "Threads")]
                row.append(len(os.listdir(f"/proc/{pid}/fd")))
            except (OSError, AttributeError):
                raise SystemExit(f"{name} has ended")
            out.writerow([at, name, *row, sum(map(size, self.disks.get(name, []))), self.released])

    def next_day(self) -> bool:
        waiting = sorted(path for path in (self.work / "made").iterdir() if path.is_dir())
        if not waiting:
            return False
        self.newest = waiting[0].rename(self.work / "batches" / waiting[0].name)
        self.released += 1
        return True

    def reload(self):
        os.kill(int(self.processes["api"]), signal.SIGHUP)
        self.reloads += 1

    def run(self):
        kinds = [self.single, self.single, self.whole, self.malformed, self.reader, self.stranger]
        callers = [threading.Thread(target=kind, args=(random.Random(at),)) for at, kind in enumerate(kinds)]
        for caller in callers:
            caller.start()
        began, last_day, last_reload, last_sample = time.monotonic(), time.monotonic(), time.monotonic(), 0
        period = max(2, self.args.seconds / SAMPLES)
        with open(self.work / "samples.csv", "w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["seconds", "process", "rss_kib", "threads", "descriptors", "disk_bytes", "days"])
            try:
                while (now := time.monotonic()) - began < self.args.seconds:
                    if now - last_sample >= period:
                        self.sample(began, out)
                        last_sample = now
                    if now - last_reload >= RELOAD_SECONDS:
                        self.reload()
                        last_reload = now
                    # The next day comes when the last one is published: a day that was never the newest is never asked.
                    if now - last_day >= self.args.every and self.published() >= self.released and self.next_day():
                        last_day = now
                    time.sleep(0.5)
            finally:
                self.ended.set()
        for caller in callers:
            caller.join()
        self.settle(began)

    def settle(self, began: float):
        """Waits for what is on its way, and writes down what was counted."""
        until = time.monotonic() + 180
        while time.monotonic() < until and self.published() < self.released:
            time.sleep(0.5)
        time.sleep(2)  # the last reload
        counts = {
            "seconds": time.monotonic() - began,
            "released": self.released,
            "reloads": self.reloads,
            "asked": self.counts.total(),
            "api": self.metrics(self.args.api),
            "miner": self.metrics(self.args.miner),
            "validator": self.metrics(self.args.validator),
        }
        (self.work / "counts.json").write_text(json.dumps(counts, indent=1))


def size(folder: str) -> int:
    total = 0
    for path, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(path, name)).st_blocks * 512
            except OSError:
                pass  # gone since it was listed
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("work", "api", "axon", "miner", "validator"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--every", type=float, required=True)
    parser.add_argument("--process", action="append", required=True)
    parser.add_argument("--disk", action="append", required=True)
    Soak(parser.parse_args()).run()


if __name__ == "__main__":
    main()
