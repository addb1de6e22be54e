"""Evidence packs, read with distrust: every member against the manifest, the manifest against its signature."""
import hashlib
import io
import json
import pathlib
import re
import zipfile

import zstandard

import keys

DOMAIN = b"aml-evidence/1\n"
MANIFEST = "MANIFEST.json"
FORMAT, VERSION = "aml-evidence", 1
TABLES = ("rounds", "tasks", "answers", "verdicts", "canonical", "outcomes", "columns", "curves", "standings", "shares")
FIELDS = {"format", "version", "round", "batch", "program", "made_at", "full", "alert", "absent", "files", "hotkey", "scheme",
          "signature"}
KEYS = {"rounds": ("id",), "tasks": ("round",), "answers": ("round", "hotkey"), "verdicts": ("round", "hotkey"),
        "canonical": ("round",), "outcomes": ("round", "place", "seen_ms"), "columns": ("round", "name"), "curves": ("round",),
        "standings": ("round", "made_ms"), "shares": ("round", "made_ms")}
MAY_LACK = {"calibration.json", "grounds.json.zst", "reasons.json.zst"}
MOST_MEMBERS, LONGEST_MANIFEST, LARGEST = 10_000, 4 << 20, 1 << 29
BODY = re.compile("bodies/[0-9a-f]{64}[.]zst")


class Broken(Exception):
    """Not a pack, or not the one that was signed. Nothing of it is looked at."""


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


def once(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a field twice")
    return dict(pairs)


def parsed(raw, what):
    try:
        return json.loads(raw, parse_constant=refuse, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise Broken(f"{what}: {error}") from error


class Pack:
    """A pack whose bytes are those that its validator signed."""

    def __init__(self, path: pathlib.Path, hotkey=None):
        self.path = path
        raw = path.read_bytes()
        try:
            self.zip = zipfile.ZipFile(io.BytesIO(raw))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise Broken(f"no ZIP file: {error}") from error
        self.manifest = self._manifest(hotkey)
        self._members()
        self.round = self.manifest["round"]

    def _manifest(self, hotkey):
        infos = self.zip.infolist()
        names = [info.filename for info in infos]
        if len(names) > MOST_MEMBERS or len(set(names)) != len(names) or MANIFEST not in names:
            raise Broken(f"{len(names)} members, of which {len(names) - len(set(names))} come twice, or no {MANIFEST}")
        if any(info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 for info in infos):
            raise Broken("a member is not stored as it is")
        if self.zip.getinfo(MANIFEST).file_size > LONGEST_MANIFEST:
            raise Broken(f"{MANIFEST} is too long")
        manifest = parsed(self._raw(MANIFEST), MANIFEST)
        if not isinstance(manifest, dict) or (manifest.get("format"), manifest.get("version")) != (FORMAT, VERSION):
            raise Broken(f"{MANIFEST} is of no form that is known")
        if manifest.keys() != FIELDS:
            raise Broken(f"{MANIFEST} has other fields: {sorted(manifest.keys() ^ FIELDS)}")
        if hotkey is not None and manifest["hotkey"] != hotkey:
            raise Broken(f"signed by {manifest['hotkey']}, expected was {hotkey}")
        rest = {name: value for name, value in manifest.items() if name != "signature"}
        signed = DOMAIN + json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        try:
            holds = keys.holds(manifest["scheme"], manifest["hotkey"], signed, bytes.fromhex(manifest["signature"]))
        except (ValueError, TypeError) as error:
            raise Broken(f"{MANIFEST}: {error}") from error
        if not holds:
            raise Broken(f"the signature is not {manifest['hotkey']}'s over this manifest")
        return manifest

    def _raw(self, name):
        try:
            return self.zip.read(name)
        except Exception as error:  # zipfile has several
            raise Broken(f"{name}: {error}") from error

    def _members(self):
        named, there = self.manifest["files"], set(self.zip.namelist()) - {MANIFEST}
        if named.keys() != there:
            raise Broken(f"members that only one of manifest and pack has: {sorted(named.keys() ^ there)[:4]}")
        for name, entry in named.items():
            raw = self._raw(name)
            if (len(raw), hashlib.sha256(raw).hexdigest()) != (entry["bytes"], entry["sha256"]):
                raise Broken(f"{name} is not what the manifest says")
        known = {f"{table}.jsonl.zst" for table in TABLES}
        if not known <= there:
            raise Broken(f"tables that are not there: {sorted(known - there)}")
        absent = self.manifest["absent"]
        for name in MAY_LACK:
            if (name in there) == (name.removesuffix(".zst") in absent):
                raise Broken(f"{name} is there and said to be absent, or neither")
        rest = there - known - MAY_LACK
        if any(not BODY.fullmatch(name) for name in rest) or (rest and not self.manifest["full"]):
            raise Broken(f"members that no pack has: {sorted(rest)[:4]}")

    def unpacked(self, name):
        raw = self._raw(name)
        try:
            size = zstandard.frame_content_size(raw)
            if not 0 <= size <= LARGEST:
                raise Broken(f"{name} unpacks to more than {LARGEST} bytes, or does not say how much")
            plain = zstandard.ZstdDecompressor().decompress(raw, max_output_size=LARGEST)
        except zstandard.ZstdError as error:
            raise Broken(f"{name}: {error}") from error
        if len(plain) != size:
            raise Broken(f"{name} does not unpack to what it says")
        return plain

    def table(self, name):
        """The rows of a table: all of this round, no key twice."""
        rows = [parsed(line, name) for line in self.unpacked(f"{name}.jsonl.zst").splitlines()]
        which = "id" if name == "rounds" else "round"
        if any(not isinstance(row, dict) or row.get(which) != self.round for row in rows):
            raise Broken(f"{name} has a row of another round")
        if len({tuple(row.get(key) for key in KEYS[name]) for row in rows}) != len(rows):
            raise Broken(f"{name} has a row twice")
        return rows

    def json(self, name):
        there = self.manifest["files"]
        if f"{name}.zst" in there:
            return parsed(self.unpacked(f"{name}.zst"), name)
        return parsed(self._raw(name), name) if name in there else None

    def body(self, digest):
        """A raw answer or what it arrived in; None where it is not there."""
        name = f"bodies/{digest}.zst"
        return self.unpacked(name) if name in self.manifest["files"] else None


class Shelf:
    """Packs as the ledger that they are of: what `information` reads. Columns of rounds that no window can need are dropped."""

    def __init__(self):
        self.packs, self.grounds, self.calibrations, self.kept = {}, {}, {}, []
        self.rounds, self.tasks, self.canonical, self.answers, self.verdicts = {}, {}, {}, {}, {}
        self.columns, self.curves, self.outcomes, self.standings, self.shares = {}, {}, {}, {}, {}
        self.miners, self.silent, self.settled, self.beside = {}, set(), {}, {}

    def add(self, pack):
        if pack.round in self.rounds:
            raise Broken(f"another pack of round {pack.round} was read")
        tables = {name: pack.table(name) for name in TABLES}
        if any(len(tables[name]) != 1 for name in ("rounds", "tasks", "curves")) or not tables["standings"]:
            raise Broken("not one round, one task, one curve and a standing")
        for one in tables["answers"]:
            record = one["record"]
            sealed = (record.get("sealed") or {}).get("cipher")
            told = (one["body"], one["asked_ms"], one["cipher"], bool(one["not_asked"]))
            if told != (record["body"], record["asked_ms"], sealed, record["reply"]["kind"] == "not_asked"):
                raise Broken(f"answers: what is looked up of {one['hotkey']} is not what its record says")
        for table in ("standings", "shares"):
            if any(one["made_ms"] != one["packed"]["made_ms"] for one in tables[table]):
                raise Broken(f"{table}: one is not of the time that its record says")
        if any(one["packed"]["rules"] != "v2" for table in ("standings", "shares", "canonical") for one in tables[table]):
            raise Broken("something was made under other rules")
        if any((one["alerts"], one["swept_ms"]) != (tables["rounds"][0]["alerts"], None) for one in tables["columns"]):
            raise Broken("columns: one is not of all alerts")
        name, row = pack.round, tables["rounds"][0]
        self.packs[name], self.rounds[name] = pack, row
        self.tasks[name], self.curves[name] = tables["tasks"][0]["packed"], tables["curves"][0]["curve"]
        self.canonical.update((name, one["packed"]) for one in tables["canonical"])
        self.answers.update(((name, one["hotkey"]), one["record"]) for one in tables["answers"])
        self.verdicts.update(((name, one["hotkey"]), one) for one in tables["verdicts"])
        self.columns.update(((name, one["name"]), one) for one in tables["columns"])
        self.outcomes[name] = tables["outcomes"]
        self.standings[name], self.shares[name] = tables["standings"], tables["shares"]
        self.silent.update((name, one["hotkey"]) for one in tables["answers"] if one["not_asked"])
        self.grounds[name], self.calibrations[name] = pack.json("grounds.json"), pack.json("calibration.json")
        for hotkey, one in (self.grounds[name] or {"miners": {}})["miners"].items():
            self.miners.setdefault(hotkey, {"first_seen_ms": one["first_seen_ms"]})
        return row

    def body(self, _digest):
        return None

    def by_day(self):
        return sorted(self.rounds.values(), key=lambda row: (row["day"], row["window_days"]))

    def not_asked(self, round_id, hotkey):
        return (round_id, hotkey) in self.silent

    def hotkeys(self, round_id):
        return list(self.tasks[round_id]["asks"])

    def forget(self, before_day):
        """Drops what no window of a later day needs."""
        for name, row in self.rounds.items():
            if row["day"] < before_day and self.packs.get(name) is not None:
                self.packs[name] = None
                for key in [key for key in self.columns if key[0] == name]:
                    del self.columns[key]
                for key in [key for key in self.answers if key[0] == name]:
                    del self.answers[key]
