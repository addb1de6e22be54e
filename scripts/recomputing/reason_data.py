"""The catalogue of reasons, read from docs/reasons.md, and what a batch says of its codes, in numbers and in words."""

import math
import pathlib
import re

DAY_MS, HOUR_MS = 86_400_000.0, 3_600_000.0
FEATURES = {}
PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "reasons.md"


def catalogue():
    """The table of the page: code to sentence, unit and expression."""
    codes, rows = {}, False
    for line in PAGE.read_text().splitlines():
        if line.startswith("| code |"):
            rows = True
        elif rows and line.startswith("| `"):
            code, sentence, unit, _, expression, features = (cell.strip() for cell in line.strip("|").split("|"))
            codes[code.strip("`")] = (sentence, unit, expression.strip("`"))
            FEATURES.update({name: code.strip("`") for name in re.findall(r"`([^`]+)`", features)})
        elif rows and not line.startswith("|"):
            break
    return codes


def value(cell):
    if cell is None or isinstance(cell, (str, list)):
        return cell
    if hasattr(cell, "toordinal") and not hasattr(cell, "hour"):
        return float(cell.toordinal() - 719_163)
    if hasattr(cell, "timestamp"):
        raise SystemExit("times are whole milliseconds here")
    number = float(cell)
    return number if math.isfinite(number) else None


class Batch:
    def __init__(self, folder):
        table = lambda name: self.read(folder / f"{name}.parquet")
        alerts, features, clusters, flows = map(table, ("alerts", "features", "clusters", "money_flows"))
        self.alerts = {row["alert_id"]: row for row in reversed(alerts)}
        self.features = {row["address"]: row for row in reversed(features)}
        self.clusters = {}
        for row in clusters:
            for alert in row.get("related_alert_ids") or []:
                self.clusters.setdefault(alert, row)
        self.flags = {name: {row["address"] for row in features if (row.get(name) or 0) > 0}
                      for name in ("is_mixer_like", "is_exchange_like") if any(name in row for row in features)}
        self.incoming, self.outgoing = {}, {}
        for row in flows:
            sender, recipient = row.get("from_address"), row.get("to_address")
            if sender and recipient and sender != recipient:
                edge = (row.get("amount_usd"), row.get("last_seen"))
                self.incoming.setdefault(recipient, []).append((sender, *edge))
                self.outgoing.setdefault(sender, []).append((recipient, *edge))

    @staticmethod
    def read(path):
        if not path.exists():
            return []
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(path)
        # Times as the milliseconds that they are.
        for at, field in enumerate(table.schema):
            if pyarrow.types.is_timestamp(field.type):
                times = table.column(at).cast(pyarrow.timestamp("ms")).cast(pyarrow.int64())
                table = table.set_column(at, field.name, times)
        return [{name: value(cell) for name, cell in row.items()} for row in table.to_pylist()]

    def column(self, name, alert):
        table, column = name.split(".")
        row = {
            "alerts": lambda: self.alerts.get(alert),
            "features": lambda: self.features.get((self.alerts.get(alert) or {}).get("address") or None),
            "clusters": lambda: self.clusters.get(alert),
        }[table]()
        return None if row is None else row.get(column)

    def flow(self, figure, address):
        came, went = self.incoming.get(address, []), self.outgoing.get(address, [])
        known = lambda edges: [edge for edge in edges if edge[1] is not None]
        total = lambda edges: math.fsum(edge[1] for edge in known(edges))
        flagged = lambda edges, flag: [edge for edge in edges if edge[0] in self.flags[flag]]

        def others(of):
            return {edge[0] for edge in self.incoming.get(of, []) + self.outgoing.get(of, [])}

        def behind():
            mixers = self.flags["is_mixer_like"] - {address}
            return float(sum(bool(others(other) & mixers) for other in others(address)))

        def top(edges):
            ends = {edge[0] for edge in known(edges)}
            return max((total([edge for edge in edges if edge[0] == other]) for other in ends), default=0.0)

        if "mixers" in figure and "is_mixer_like" not in self.flags:
            return None
        if figure.endswith("exchanges") and "is_exchange_like" not in self.flags:
            return None
        return {
            "passed_on": lambda: passed_on(came, went),
            "top_sender": lambda: over(top(came), total(came)),
            "top_recipient": lambda: over(top(went), total(went)),
            "from_exchanges": lambda: over(total(flagged(came, "is_exchange_like")), total(came)),
            "to_exchanges": lambda: over(total(flagged(went, "is_exchange_like")), total(went)),
            "from_mixers": lambda: over(total(flagged(came, "is_mixer_like")), total(came)),
            "to_mixers": lambda: over(total(flagged(went, "is_mixer_like")), total(went)),
            "mixers": lambda: float(len({edge[0] for edge in flagged(came + went, "is_mixer_like")})),
            "mixers_behind": behind,
        }[figure]()

    def mean(self, side, column, address):
        edges = (self.incoming if side == "senders" else self.outgoing).get(address, [])
        others = {edge[0] for edge in edges} - self.flags.get("is_exchange_like", set())
        values = [self.features[other].get(column) for other in others if other in self.features]
        values = [float(one) for one in values if one is not None]
        return math.fsum(values) / len(values) if values else None

    def datum(self, expression, alert):
        column = lambda name: self.column(name, alert)
        if found := re.fullmatch(r"flow\((\w+)\)", expression):
            return self.flow(found[1], column("alerts.address"))
        if found := re.fullmatch(r"mean\((\w+), features\.(\w+)\)", expression):
            return self.mean(*found.groups(), column("alerts.address"))
        if found := re.fullmatch(r"count\(([\w.]+)\)", expression):
            items = column(found[1])
            return float(len(items)) if items is not None else None
        if found := re.fullmatch(r"days\(([\w.]+) - ([\w.]+)\)", expression):
            day, time = map(column, found.groups())
            return None if None in (day, time) else day - time / DAY_MS
        if found := re.fullmatch(r"hours\(([\w.]+) - ([\w.]+)\)", expression):
            last, first = map(column, found.groups())
            return None if None in (last, first) else (last - first) / HOUR_MS
        if found := re.fullmatch(r"([\w.]+) / ([\w.]+)", expression):
            return over(*map(column, found.groups()))
        found = column(expression)
        return plain_name(found) if isinstance(found, str) else found


def over(one, other):
    return None if one is None or not other else one / other


def passed_on(came, went):
    """Each amount sent uses up what was received in the 24 hours before it, the oldest first."""
    dated = lambda edges: sorted((time, amount) for _, amount, time in edges if None not in (amount, time))
    receipts, passed, oldest = [list(of) for of in dated(came)], 0.0, 0
    received = math.fsum(amount for _, amount in receipts)
    for time, left in dated(went):
        while oldest < len(receipts) and receipts[oldest][0] <= time and left > 0:
            receipt = receipts[oldest]
            if receipt[0] >= time - DAY_MS:
                part = min(left, receipt[1])
                passed, left = passed + part, left - part
                receipt[1] -= part
                if receipt[1] > 0:
                    break
            oldest += 1
    return over(passed, received)


def plain_name(text):
    shown = re.sub(r"[^A-Za-z0-9_. -]", "?", text[:40]).strip()
    return shown or None


def in_words(datum, unit):
    if isinstance(datum, str):
        return datum

    def grouped(number, digits=0):
        text = f"{number:,.{digits}f}"
        return text if text.strip("-0.,") else text.lstrip("-")

    def plain(number):
        if 0 < abs(number) < 1e-9:
            return "less than 0.000000001" if number > 0 else "more than -0.000000001"
        digits = 0 if abs(number) >= 1000 else 3
        if 0 < abs(number) < 1:
            # Three digits that count.
            digits = 2 - int(f"{number:.2e}".split("e")[1])
        text = grouped(number, digits)
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return text if text.strip("-0.,") else "0"

    def usd(number):
        text = grouped(number, 2 if abs(number) < 100 else 0)
        return f"-${text[1:]}" if text.startswith("-") else f"${text}"

    def share(number):
        percent = number * 100
        if abs(percent) < 0.1:
            return f"{plain(percent)} %"
        return f"{grouped(percent, 0 if abs(percent) >= 10 else 1)} %"

    def days(number):
        if number > 0:
            return f"{plain(number)} days before the day of the batch"
        return "on the day of the batch" if number > -1 else "after the day of the batch"

    return {
        "USD": usd,
        "share": share,
        "count": grouped,
        "days": days,
        "hours": lambda number: f"{plain(number)} hours",
        "hour": lambda number: f"{number:02.0f}:00",
        "times": lambda number: f"{plain(number)} times",
        "number": plain,
        "yes or no": lambda number: "yes" if number > 0 else "no",
    }[unit](datum)
