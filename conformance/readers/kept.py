"""Evidence packs and batches, as docs/evidence.md and docs/data.md tell."""
import base64
import datetime
import hashlib
import io
import json
import math
import pathlib
import re
import tempfile

HERE = pathlib.Path(__file__).resolve().parents[1]


# --- evidence packs ----------------------------------------------------------------------------------------------------

def joined(case):
    """The bytes of a pack: pieces of another one, and what stands between them."""
    good, made = (HERE / case["of"]).read_bytes(), b""
    for piece in case["pack"]:
        made += bytes.fromhex(piece) if isinstance(piece, str) else good[piece[0]:piece[0] + piece[1]]
    return made


def evidence(file, report):
    from evidence import Evidence
    from packs import Broken, Pack

    for case in file["cases"]:
        expected = {name: value for name, value in case["expected"].items() if name != "says"}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "pack.zip"
            path.write_bytes(joined(case))
            try:
                own = {"round": Pack(path, case["hotkey"]).round}
            except Broken:
                own = {"refused": "pack"}
            if "round" in own:
                checked = Evidence(case["hotkey"], (3, False))
                try:
                    checked.run([path], [])
                    own = {"refused": "content"} if checked.tally.differs else own
                except (Broken, KeyError, TypeError, IndexError, ValueError):
                    own = {"refused": "content"}
        report.same(f"evidence {case['name']}", expected, own)


# --- batches -----------------------------------------------------------------------------------------------------------

DOMAIN = b"aml-batch-manifest/1\n"
KEYS = {"schema_version", "processing_date", "window_days", "network", "created_at", "files", "publisher", "signature"}
OPTIONAL = {"publisher", "signature"}
NEEDED = ("alerts.parquet", "features.parquet", "clusters.parquet")
TABLES = {"alerts": "alerts.parquet", "features": "features.parquet", "clusters": "clusters.parquet",
          "money_flows": "money_flows.parquet", "labels": "labels.parquet"}
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class Wrong(Exception):
    """What is wrong with a batch."""

    def __init__(self, refused, file="META.json", **where):
        super().__init__(refused)
        self.told = {"refused": refused, "file": file, **where}


def batches(file, report):
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        report.skip("every batch", str(error))
        return
    contents = {digest: base64.b64decode(text) for digest, text in file["contents"].items()}
    for digest, raw in contents.items():
        report.same(f"content {digest[:8]}", digest, hashlib.sha256(raw).hexdigest())
    for case in file["cases"]:
        files = {name: contents[digest] for name, digest in case["files"].items()}
        try:
            own = loaded(files, case["publisher"], file["tables"])
        except Wrong as wrong:
            own = wrong.told
        report.same(f"batch {case['name']}", {name: value for name, value in case["expected"].items() if name != "says"}, own)


def loaded(files, publisher, tables):
    """Rows of every table, and the batch's digest; raises Wrong."""
    manifest = manifest_of(files["META.json"])
    signed = DOMAIN + canonical({name: value for name, value in manifest.items() if name != "signature"})
    vouched(manifest, signed, publisher)
    for name in NEEDED:
        if name not in manifest["files"]:
            raise Wrong("not_named", name)
    rows, known = {}, {name: table for table, name in TABLES.items()}
    for name in TABLES.values():
        if name not in manifest["files"]:
            continue
        raw, entry = files.get(name), manifest["files"][name]
        if raw is None:
            raise Wrong("missing", name)
        if len(raw) != entry["bytes"]:
            raise Wrong("length", name)
        if hashlib.sha256(raw).hexdigest() != entry["sha256"]:
            raise Wrong("hash", name)
        count = table_of(name, raw, (tables[known[name]], manifest))
        if count != entry["rows"]:
            raise Wrong("rows", name)
        rows[known[name]] = count
    rows.pop("labels", None)
    return {"rows": {**rows, "money_flows": rows.get("money_flows", 0)}, "digest": hashlib.sha256(signed).hexdigest()}


def once(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def whole(text):
    raise ValueError(f"{text} is no integer")


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def manifest_of(raw):
    try:
        manifest = json.loads(raw, object_pairs_hook=once, parse_float=whole, parse_constant=whole)
        version = re.fullmatch(r"1\.(0|[1-9][0-9]*)", manifest["schema_version"])
        unknown = manifest.keys() - KEYS
        sound = version and KEYS - OPTIONAL <= manifest.keys() and (not unknown or version[1] != "0")
        sound = sound and all(PLAIN.fullmatch(name) and name != "META.json" for name in manifest["files"])
        datetime.date.fromisoformat(manifest["processing_date"])
        datetime.datetime.fromisoformat(manifest["created_at"])
        if not sound:
            raise ValueError("not of the form")
    except (ValueError, KeyError, TypeError):
        raise Wrong("manifest") from None
    return manifest


def vouched(manifest, signed, publisher):
    from judging import InvalidSignature, holds

    if ("publisher" in manifest) != ("signature" in manifest):
        raise Wrong("manifest")
    if "publisher" in manifest:
        try:
            holds(bytes.fromhex(manifest["publisher"]), bytes.fromhex(manifest["signature"]), signed)
        except (InvalidSignature, ValueError):
            raise Wrong("manifest") from None
    if publisher is not None and manifest.get("publisher") != publisher:
        raise Wrong("manifest")


def table_of(name, raw, what):
    """Number of rows of a table all of whose cells keep the rules."""
    import pyarrow
    import pyarrow.parquet

    spec, manifest = what
    day = datetime.date.fromisoformat(manifest["processing_date"])
    try:
        table = pyarrow.parquet.read_table(io.BytesIO(raw))
    except (pyarrow.ArrowInvalid, OSError):
        raise Wrong("file", name) from None
    for column in spec["columns"]:
        if column["name"] not in table.column_names:
            if column["required"] and table.num_rows:
                raise Wrong("column", name, column=column["name"])
            continue
        cells = Cells(name, column, table.column(column["name"]))
        cells.look(day if column["name"] == "processing_date" else None, spec["key"] == column["name"])
    return table.num_rows


class Cells:
    """One column, read by the rules of docs/data.md."""

    def __init__(self, file, column, values):
        self.file, self.column, self.values = file, column, values

    def wrong(self, row=None):
        if row is None:
            raise Wrong("column", self.file, column=self.column["name"])
        raise Wrong("cell", self.file, column=self.column["name"], row=row)

    def look(self, day, is_key):
        import pyarrow.types as kinds

        kind, stored = self.column["type"], self.values.type
        while kinds.is_dictionary(stored):
            stored = stored.value_type
        is_text = kinds.is_string(stored) or kinds.is_large_string(stored) or kinds.is_string_view(stored)
        is_list = kinds.is_list(stored) or kinds.is_large_list(stored)
        values = self.values.to_pylist()
        if all(value is None for value in values):
            values = [None] * len(values)
        elif kind in ("text", "severity"):
            if not is_text:
                self.wrong()
        elif kind.startswith("list"):
            if not is_list:
                self.wrong()
        elif is_list:
            self.wrong()
        read = [None if value is None else self.read(row, kind, value) for row, value in enumerate(values)]
        for row, value in enumerate(read):
            if value in (None, "") and self.column["required"]:
                self.wrong(row)
        if day is not None:
            for row, value in enumerate(read):
                if value is not None and value != day:
                    self.wrong(row)
        if is_key:
            seen = set()
            for row, value in enumerate(read):
                if value in seen:
                    self.wrong(row)
                seen.add(value)

    def read(self, row, kind, value):
        """A cell's value."""
        if kind in ("text", "severity"):
            if "\0" in value or (kind == "severity" and value not in ("", "low", "medium", "high", "critical")):
                self.wrong(row)
            return value
        if kind.startswith("list"):
            if any(isinstance(one, str) and "\0" in one for one in value):
                self.wrong(row)
            return value
        if kind == "date":
            return self.date(row, value)
        if kind == "time":
            return value
        return self.number(row, kind, value)

    def date(self, row, value):
        if isinstance(value, datetime.datetime):
            value = value.date()
        if isinstance(value, datetime.date):
            return value
        try:
            if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
                raise ValueError
            return datetime.date.fromisoformat(value)
        except ValueError:
            self.wrong(row)

    def number(self, row, kind, value):
        if isinstance(value, int) and float(value) != value:
            self.wrong(row)
        try:
            number = float(value)
        except (ValueError, TypeError):
            self.wrong(row)
        if not math.isfinite(number) or (kind in ("count", "flag") and number != int(number)) or (kind == "flag" and number not in (0, 1)):
            self.wrong(row)
        least, most = self.column["least"], self.column["most"]
        if (least is not None and number < least) or (most is not None and number > most):
            self.wrong(row)
        return number
