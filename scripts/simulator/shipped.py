"""The rules as they are shipped: `aml-subnet rules apply`, driven a day at a time (docs/simulator.md has the protocol)."""
import base64
import json
import pathlib
import shutil
import subprocess

import numpy as np


class Refused(Exception):
    """The program refused a frame."""


def found(program=None):
    """The program: as given, else from the build directory, else from PATH."""
    given = pathlib.Path(program) if program else None
    if given is None:
        on_path = shutil.which("aml-subnet")
        if not on_path:
            raise SystemExit("which program? --program BUILD/release/aml-subnet (scripts/simulator.sh builds it)")
        given = pathlib.Path(on_path)
    if not given.is_file():
        raise SystemExit(f"{given} is not there")
    return given


class Program:
    """One process that plays any number of seasons, one after another."""

    def __init__(self, program, threads=None):
        words = [str(program), "rules", "apply"] + (["--threads", str(threads)] if threads else [])
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, name, frame):
        """What a frame is answered with."""
        self.process.stdin.write(json.dumps({name: frame}, separators=(",", ":")).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Refused(f"the program ended with {self.process.wait()}")
        answer = json.loads(line)
        if "refused" in answer:
            raise Refused("{code}: {message}".format(**answer["refused"]))
        return answer["begun" if name == "begin" else name]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def packed(values):
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f8").tobytes()).decode()


def unpacked(text):
    return np.frombuffer(base64.b64decode(text), dtype="<f8")


class Shipped:
    """Shipped rules over a season. `changes`: other constants, `learned=False`, `once=False` (rules v2)."""

    def __init__(self, program, version, **changes):
        self.program, self.version, self.changes = program, version, changes

    def begin(self, season):
        switches = {name: self.changes[name] for name in ("learned", "once", "details") if name in self.changes}
        constants = {name: value for name, value in self.changes.items() if name not in switches}
        frame = {"rules": self.version, "miners": len(season.miners), **switches}
        self.program.ask("begin", {**frame, "constants": constants} if constants else frame)
        self.told = np.zeros(season.world.address.shape, bool)
        self.details = []

    def play(self, season, day, sheet):
        answer = self.program.ask("day", self.frame(season, day, sheet))
        season.voice[:, day], season.pay[:, day] = unpacked(answer["voices"]), unpacked(answer["pay"])
        canonical = unpacked(answer["canonical"])
        if len(canonical):
            season.canonical[day] = canonical
        for name in ("tier2", "advantage"):
            values = unpacked(answer[name])
            if len(values):
                getattr(season, name)[:, day] = values
        self.details.append({name: unpacked(value) if isinstance(value, str) else value
                             for name, value in answer.get("details", {}).items()})

    def frame(self, season, day, sheet):
        world = season.world
        new = (world.known_on[:day] <= day) & ~self.told[:day]
        self.told[:day] |= new
        old, place = np.nonzero(new)
        known = (old, place)
        return {"day": day, "addresses": packed(world.address[day]),
                "answers": [self.answer(season, miner, day, sheet) for miner in range(len(season.miners))],
                "traps": [{"expected": "high" if high else "low", "alerts": size} for high, size in sheet.groups] if sheet else [],
                "outcomes": {"day": packed(old), "place": packed(place), "illicit": packed(world.illicit[known]),
                             "relevance": packed(world.relevance[known])}}

    def answer(self, season, miner, day, sheet):
        if not season.asked[miner, day]:
            return None
        if not season.present[miner, day]:
            return {}
        scores = {"scores": packed(season.scores[miner, day])}
        return {**scores, "traps": packed(sheet.answers[miner])} if sheet else scores
