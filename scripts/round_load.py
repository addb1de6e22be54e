#!/usr/bin/env python3
"""Plays the rounds that scripts/round_load.sh measures, and writes what they took as JSON.

What is measured of each round: bytes over the line in both directions, the time from the task to the last answer and that of the
steps after the opening, and of the validator's process its peak memory and its processor time, by step. The line and all miners
are in another process.
"""
import argparse
import datetime
import functools
import http.server
import json
import os
import pathlib
import platform
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

NETUID = 1
# `//Alice`: everybody knows it.
ALICE = "0xe5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a"
ALICE_ADDRESS = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
# Alerts of the day from which the validator learns what miners take.
SMALL = 60
# Bytes of an alert of the generator, with its address, cluster and flows: as JSON, and packed with its answer.
JSON_BYTES, PACKED_BYTES = 5_000, 900
# What a step is called, and the line of the log that ends it.
STEPS = [("batch read", "round began"), ("task made", "task recorded"), ("asked", "every miner has an answer or an outcome"),
         ("opened", "answers are opened"), ("judged", "answers judged"), ("merged", "canonical scores made"),
         ("published", "round published")]
TICK = os.sysconf("SC_CLK_TCK")


def fail(text):
    sys.exit(f"round_load: {text}")


def say(text):
    print(f"round_load: {text}", file=sys.stderr, flush=True)


class Process:
    """A program that ends with this one."""

    def __init__(self, name, command, work, **more):
        self.name, self.log = name, work / f"{name}.log"
        self.process = subprocess.Popen(command, stderr=self.log.open("wb"), cwd=work, **more)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def died(self, awaited):
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        fail(f"{self.name} ended ({awaited} was awaited)\n{tail}")


def await_port(port, process):
    for _ in range(600):
        if process.process.poll() is not None:
            process.died("its port")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    fail(f"{process.name} does not listen")


class Miners(Process):
    """All stand-ins, and the line."""

    def __init__(self, args, url):
        command = [args.bin / "aml-subnet", "localnet", "miners", "--url", url, "--netuid", str(NETUID), "--count",
                   str(args.miners), "--mbit", str(args.mbit)]
        super().__init__("miners", command, args.work, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            self.died("its keys on the chain")
        assert json.loads(line)["ready"] == args.miners

    def told(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def processor_time(pid):
    """Seconds of user and system time of a process that runs."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def peak(pid):
    """The most memory that a process held, in bytes; nothing once it is gone."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        return int(re.search(r"VmHWM:\s*(\d+) kB", status).group(1)) * 1024
    except (OSError, AttributeError):
        return 0


class Mirror(http.server.ThreadingHTTPServer):
    """Shows the folder of objects, as a CDN would. What it gives does not go over the line."""

    request_queue_size = 1024
    daemon_threads = True

    def __init__(self, folder):
        handler = functools.partial(Quiet, directory=folder)
        super().__init__(("127.0.0.1", 0), handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """It writes no line per request."""

    def log_message(self, *_):
        pass


def config(args, url, form, opening):
    places = ""
    if form == "reference":
        places = f'[[validator.references.mirrors]]\nstore = "{args.work}/objects"\nurl = "{args.mirror.url}"\n'
    text = f"""
netuid = {NETUID}
[wallet]
name = "val"
path = "{args.work}/wallets"
[subtensor]
network = "{url}"
[validator]
sot = "{args.work}/sot"
data_dir = "{args.work}/data"
allow_private_ips = true
shadow = true
explain = "{args.explain}"
arrow_tasks = {"false" if form == "json" else "true"}
deadline = "{max(opening - 1, 10)}s"
timeout = "{max(opening - 1, 10)}s"
attempts = 1
listen = "127.0.0.1:0"
rules = "v2"
{places}[sealing]
beacon = "development"
development_opening = "{opening}s"
"""
    path = args.work / "subnet_config.toml"
    path.write_text(text)
    return path


def turn(args, url, miners, what):
    """One round: `what` is (name, batch directory, form of the task, seconds until it opens at least)."""
    name, batch, form, opening = what
    shutil.move(args.work / "made" / batch, args.work / "sot" / batch)
    before = miners.told()
    command = [args.bin / "aml-subnet", "validator", "--once", "--config", config(args, url, form, opening)]
    log = (args.work / f"validator-{name}.log").open("w")
    process = subprocess.Popen(command, cwd=args.work, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    held, stop = [0], threading.Event()

    def watch():
        while not stop.wait(0.05):
            held[0] = max(held[0], peak(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    steps, began, used, after, forms, counted = {}, time.monotonic(), 0.0, {}, [], 0
    for line in process.stderr:
        log.write(line)
        try:
            told = json.loads(line)
        except ValueError:
            continue
        fields = told.get("fields", told)
        if fields.get("message") == "miner asked":
            forms.append(fields["task"] if fields["outcome"] == "answered" else fields["outcome"])
        step = next((step for step, message in STEPS if message == fields.get("message")), None)
        if step is None:
            continue
        counted = fields.get("accepted", counted)
        now, cpu = time.monotonic(), processor_time(process.pid)
        steps[step] = {"seconds": now - began, "processor_seconds": cpu - used}
        if step == "opened":
            # What came before the opening was waiting.
            after["opened"] = fields.get("after_ms", 0) / 1000
        began, used = now, cpu
    code = process.wait()
    stop.set()
    watcher.join()
    if code != 0:
        tail = "\n".join((args.work / f"validator-{name}.log").read_text().splitlines()[-10:])
        fail(f"the validator ended with {code}\n{tail}")
    if "opened" in steps:
        steps["opened"]["seconds"] = min(steps["opened"]["seconds"], max(after["opened"], 0))
    now = miners.told()
    bytes_of = {key: now[key] - before[key] for key in now}
    # Who is not known yet is sent JSON.
    form = "json" if name == "small" else form
    if forms != [form] * args.miners or counted != args.miners:
        fail(f"in the round {name} {forms.count(form)} of {args.miners} miners answered to {form}, and {counted} answers count; "
             f"see validator-{name}.log (--keep DIR keeps it)")
    say(f"{name}: {bytes_of['to_miners'] / 1e6:.1f} MB out, {bytes_of['to_validator'] / 1e6:.1f} MB in, {bytes_of['fetched'] / 1e6:.1f} MB fetched, asked in "
        f"{steps['asked']['seconds']:.1f} s, {held[0] / 2**20:.0f} MiB at most")
    return {"name": name, "form": form, "steps": steps, "peak_bytes": held[0], **bytes_of}


def day(args, date, alerts, seed):
    made = args.work / "made"
    subprocess.run([args.bin / "aml-miner-batch", "synth", made, "--seed", str(seed), "--start-date", date, "--days", "1",
                    "--alerts", str(alerts), "--addresses", str(alerts * 5)], check=True, stdout=subprocess.DEVNULL)
    return f"{date}_w7"


def openings(args):
    """Seconds that a round needs at most until it is asked, as Arrow and as JSON."""
    rate = args.mbit * 125_000 if args.mbit else 1e9
    of = [args.miners * args.alerts * size / rate for size in (PACKED_BYTES, JSON_BYTES)]
    # Stand-ins, validator and line share the machine's cores.
    work = args.miners * (0.1 + args.alerts / 40_000)
    return [int(min(600, 20 + work + seconds * 1.3)) for seconds in of]


def cpu():
    found = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return found.group(1) if found else platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--bin", "--work", "--out"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    for name in ("--miners", "--alerts", "--mbit"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--explain", required=True)
    parser.add_argument("--json", choices=("yes", "no"), required=True)
    args = parser.parse_args()
    (args.work / "made").mkdir()
    (args.work / "sot").mkdir()
    (args.work / "objects").mkdir()
    args.mirror = Mirror(args.work / "objects")
    hotkeys = args.work / "wallets/val/hotkeys"
    hotkeys.mkdir(parents=True)
    (hotkeys / "default").write_text(ALICE)
    (hotkeys / "default").chmod(0o600)
    dates = [(datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=back)).isoformat() for back in (3, 2, 1, 0)]
    say("days of alerts")
    small = day(args, dates[0], min(SMALL, args.alerts), 1)
    days = [day(args, date, args.alerts, seed) for date, seed in zip(dates[1:], (2, 3, 4))]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    program = args.bin / "aml-subnet"
    chain = Process("chain", [program, "localnet", "run", "--port", str(port), "--netuid", str(NETUID), "--serving-rate-limit",
                              "0"], args.work, stdout=subprocess.DEVNULL)
    started = [chain]
    try:
        await_port(port, chain)
        for wish in (["register"], ["stake", "--tao", "5000"]):
            subprocess.run([program, "localnet", wish[0], "--url", url, "--netuid", str(NETUID), "--hotkey", ALICE_ADDRESS,
                            *wish[1:]], check=True, stdout=subprocess.DEVNULL)
        say(f"{args.miners} stand-ins")
        miners = Miners(args, url)
        started.append(miners)
        packed, plain = openings(args)
        small_round = ("small", small, "arrow", int(20 + args.miners * 0.1))
        rounds = [turn(args, url.replace("http", "ws"), miners, small_round)]
        rounds.append(turn(args, url.replace("http", "ws"), miners, ("packed", days[0], "arrow", packed)))
        rounds.append(turn(args, url.replace("http", "ws"), miners, ("reference", days[1], "reference", packed)))
        if args.json == "yes":
            rounds.append(turn(args, url.replace("http", "ws"), miners, ("json", days[2], "json", plain)))
    finally:
        for process in reversed(started):
            process.end()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    args.out.write_text(json.dumps({
        "miners": args.miners, "alerts": args.alerts, "mbit": args.mbit, "explain": args.explain, "rounds": rounds,
        "machine": {"cpu": cpu(), "cores": os.cpu_count(), "system": f"{platform.system()} {platform.release()}"},
        "date": dates[3], "commit": commit,
    }, indent=1))


if __name__ == "__main__":
    main()
