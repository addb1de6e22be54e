"""Reads an export: files against their digests, tables as dictionaries, bodies on demand."""
import hashlib
import json
import pathlib

try:  # Python 3.14 knows zstd itself
    from compression.zstd import decompress
except ImportError:
    import zstandard

    def decompress(data):
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)

FORMAT, VERSION = "aml-ledger", 1
STEPS = ("fetched", "tasked", "asked", "judged", "merged", "published", "settled")
PUBLISHED = STEPS.index("published")


class Unreadable(Exception):
    """Not an export, or not of a version that is known."""


class Book:
    """An export, with every table by its key."""

    def __init__(self, folder: pathlib.Path, tally):
        self.folder, self.tally = folder, tally
        manifest = self._manifest()
        tables = {table["name"]: self._table(table) for table in manifest["tables"]}
        self.rounds = {row["id"]: row for row in tables["rounds"]}
        self.tasks = {row["round"]: row["packed"] for row in tables["tasks"]}
        self.canonical = {row["round"]: row["packed"] for row in tables["canonical"]}
        self.settled = {row["round"]: row["packed"] for row in tables["settled"]}
        self.answers = {(row["round"], row["hotkey"]): row["record"] for row in tables["answers"]}
        self.verdicts = {(row["round"], row["hotkey"]): row for row in tables["verdicts"]}
        self.settlements = {(row["round"], row["hotkey"]): row["tier3"] for row in tables["settlements"]}
        self.alerts = {(row["round"], row["place"]): row for row in tables["alerts"]}
        self.miners = {row["hotkey"]: row for row in tables["miners"]}
        self.bodies = {row["digest"]: row for row in tables["bodies"]}
        self.weights = tables["weights"]
        self.columns = {(row["round"], row["name"]): row for row in tables.get("columns", ())}
        self.curves = {row["round"]: row["curve"] for row in tables.get("curves", ())}
        self.beside = {row["round"]: row["packed"] for row in tables.get("canonical_beside", ())}
        self.outcomes = grouped(tables.get("outcomes", ()))
        self.standings = grouped(tables.get("standings", ()))
        self.shares = grouped(tables.get("shares", ()))
        self.silent = {(row["round"], row["hotkey"]) for row in tables["answers"] if row.get("not_asked")}
        for row in self.rounds.values():
            for name in ("void_ms", "late_ms"):
                row.setdefault(name, None)

    def _manifest(self):
        try:
            manifest = json.loads((self.folder / "MANIFEST.json").read_text())
        except (OSError, ValueError) as error:
            raise Unreadable(f"{self.folder}: no export that can be read: {error}") from error
        if (manifest.get("format"), manifest.get("version")) != (FORMAT, VERSION):
            raise Unreadable(f"{self.folder}: format {manifest.get('format')} {manifest.get('version')} is not known")
        return manifest

    def _table(self, table):
        path = self.folder / f"{table['name']}.jsonl"
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise Unreadable(f"{path}: {error}") from error
        self.tally.same("files: SHA-256", path.name, table["sha256"], hashlib.sha256(raw).hexdigest())
        self.tally.same("files: rows", path.name, table["rows"], raw.count(b"\n"))
        try:
            return [json.loads(line) for line in raw.splitlines()]
        except ValueError as error:
            raise Unreadable(f"{path}: {error}") from error

    def body(self, digest):
        """A raw answer; None when it was swept."""
        row = self.bodies.get(digest)
        if row is None or row["swept_ms"] is not None:
            return None
        try:
            return decompress((self.folder / "bodies" / f"{digest}.zst").read_bytes())
        except Exception as error:  # each package has its own
            raise Unreadable(f"body {digest}: {error}") from error

    def by_day(self):
        """The rounds, oldest first."""
        return sorted(self.rounds.values(), key=lambda row: (row["day"], row["window_days"]))

    def not_asked(self, round_id, hotkey):
        """Whether a miner was never asked, by a failure of the validator."""
        return (round_id, hotkey) in self.silent

    def hotkeys(self, round_id):
        """Everybody who was asked, ascending by the bytes of the key."""
        return list(self.tasks[round_id]["asks"])


def grouped(rows):
    """Rows of each round, in their order."""
    found = {}
    for row in rows:
        found.setdefault(row["round"], []).append(row)
    return found
