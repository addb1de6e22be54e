#!/usr/bin/env python3
"""Holds the crates' imports against the order of rooms in scripts/rooms.txt.

A room is a module of a crate's root. Each line of code that names a room which stands above its own, or which admits
others only, is printed as file:line. Tests within files are not looked at. The last line counts rooms.

    scripts/check_rooms.py             arrows between rooms
    scripts/check_rooms.py --circles   also prints, for information, the files of one room that use each other in a circle
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ORDER = ROOT / "scripts" / "rooms.txt"
# Modules of the root that stand outside of the order.
OUTSIDE = {"lib", "main"}
PATH = re.compile(r"\b(crate|self|super)((?:::super)*)::(\{[^;]*?\}(?=;)|\w+(?:::\w+)*(?:::\{[^;]*?\}(?=;))?)", re.S)
CHILD = re.compile(r"\buse (\w+)::(\{[^;]*?\}|\w+(?:::\w+)*(?:::\{[^;]*?\})?)(?=;)", re.S)
# `child::name` within an expression or a type, without an import.
INLINE = re.compile(r"(?<![\w:$])([a-z]\w*)((?:::\w+)+)")


def read_order(path):
    """Crate by name: rooms in order, and who may use a room that admits few."""
    crates, rooms = {}, None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        if line.startswith("["):
            rooms = crates.setdefault(line.strip("[]"), {})
            continue
        name, _, users = (part.strip() for part in line.partition("<"))
        if rooms is None or not name.isidentifier():
            sys.exit(f"{path}:{number}: expected a room")
        rooms[name] = users.split() or None
    return crates


def code_of(path):
    """The code without comments, texts and tests; every line stays where it is."""
    text = path.read_text()
    texts = r"""'(?:[^'\\\n]|\\[^u\n]|\\u\{[^}]*\})'|r#"(?:.|\n)*?"#|"(?:\\.|[^"\\])*\""""
    pattern = re.compile(rf"//[^\n]*|/\*.*?\*/|{texts}|#\[cfg\((?:test|all\(test)", re.S)
    kept, place = [], 0
    for found in pattern.finditer(text):
        kept.append(text[place : found.start()])
        if found[0].startswith("#[cfg"):
            rest = text[found.end() :]
            if re.match(r"[^\n]*\n\s*(?:pub(?:\(\w+\))? )?mod \w+ \{", rest):
                place = len(text)
                break
            kept.append(found[0])
        else:
            kept.append("\n" * found[0].count("\n"))
        place = found.end()
    kept.append(text[place:])
    # `pub(in crate::room)` says who may see, and uses nothing.
    return re.sub(r"\bpub\(in [\w:]+\)", "pub", "".join(kept))


def leaves(tree):
    """Every path of a use tree, as lists of names."""
    tree = tree.strip()
    head, brace, rest = tree.partition("{")
    if not brace:
        return [[part.strip() for part in re.sub(r"\bas \w+", "", tree).split("::") if part.strip()]]
    stem = [part.strip() for part in head.split("::") if part.strip()]
    inner, depth, parts, start = rest[: rest.rindex("}")], 0, [], 0
    for place, char in enumerate(inner):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(inner[start:place])
            start = place + 1
    parts.append(inner[start:])
    return [stem + leaf for part in parts if part.strip() for leaf in leaves(part)]


class Crate:
    """The modules of a crate by their path, and what their code names."""

    def __init__(self, name):
        self.source = ROOT / "crates" / name / "src"
        self.modules = {}
        for path in sorted(self.source.rglob("*.rs")):
            parts = path.relative_to(self.source).with_suffix("").parts
            if parts[0] != "bin" and parts[0] not in OUTSIDE:
                self.modules[parts] = (path, code_of(path))

    def rooms(self):
        return {parts[0] for parts in self.modules}

    def paths(self, module):
        """What a module's code names in its crate: (line, absolute path)."""
        _, code = self.modules[module]
        inline = re.compile(r"^( *)(?:pub(?:\([\w ]+\))? )?mod \w+ \{.*?^\1\}", re.S | re.M)
        spans, search = [], 0
        while found := inline.search(code, search):
            spans.append(found.span())
            search = found.start() + found[0].index("{")
        passed_on = [found.span() for found in re.finditer(r"pub(?:\([\w ]+\))? use [^;]+;", code)]
        for found in PATH.finditer(code):
            if any(start <= found.start() < end for start, end in passed_on) and found[1] != "crate":
                continue
            line = code.count("\n", 0, found.start()) + 1
            depth = sum(start <= found.start() < end for start, end in spans)
            base = {"crate": (), "self": module}.get(found[1])
            if base is None:
                ups = 1 + found[2].count("super") - depth
                base = module[: len(module) - ups] if ups > 0 else module
            for leaf in leaves(found[3]):
                yield line, base + tuple(leaf)
        for found in CHILD.finditer(code):
            passed = any(start <= found.start() < end for start, end in passed_on)
            if not passed and module + (found[1],) in self.modules:
                line = code.count("\n", 0, found.start()) + 1
                for leaf in leaves(found[2]):
                    yield line, module + (found[1],) + tuple(leaf)
        uses = [found.span() for found in re.finditer(r"\buse [^;]+;", code)]
        for found in INLINE.finditer(code):
            imported = any(start <= found.start() < end for start, end in uses)
            if not imported and module + (found[1],) in self.modules:
                line = code.count("\n", 0, found.start()) + 1
                yield line, module + (found[1],) + tuple(found[2].split("::")[1:])

    def home(self, path):
        """The module that a path leads to, and the name that is wanted of it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.modules:
                return path[:length], path[length : length + 1]
        return None, ()

    def owner(self, path, exported):
        """The module that defines what a path names: re-exports lead on to where they come from."""
        module, name = self.home(path)
        for _ in range(4):
            further = exported.get(module, {}).get(name[0]) if name else None
            if further is None:
                break
            module, name = self.home(further)
        return module

    def exports(self):
        """By module: names that it re-exports, and their path."""
        table = {}
        for module, (_, code) in self.modules.items():
            for found in re.finditer(r"pub(?:\([\w ]+\))? use ([^;]+);", code):
                for leaf in leaves(found[1]):
                    base = ()
                    if leaf[0] == "crate":
                        leaf = leaf[1:]
                    elif leaf[0] == "self":
                        base, leaf = module, leaf[1:]
                    elif leaf[0] == "super":
                        base, leaf = module[:-1], leaf[1:]
                    elif module + (leaf[0],) in self.modules:
                        base = module
                    table.setdefault(module, {})[leaf[-1]] = base + tuple(leaf)
        return table


def arrows_up(name, crate, rooms):
    """Every line that names a room which it may not use, by room."""
    places, order = {room: [] for room in rooms}, {room: place for place, room in enumerate(rooms)}
    for module, (path, _) in crate.modules.items():
        room = module[0]
        for line, target in sorted(set(crate.paths(module))):
            other = target[0] if target else None
            if other == room or other not in order or room not in order:
                continue
            where = f"{path.relative_to(ROOT)}:{line}"
            if order[other] > order[room]:
                places[room].append(f"{where}: {room} uses {other}, which stands above it")
            elif rooms[other] and room not in rooms[other]:
                places[room].append(f"{where}: {room} uses {other}, which is for {', '.join(rooms[other])} alone")
    for room in sorted(crate.rooms() - set(rooms)):
        places.setdefault(room, []).append(f"crates/{name}/src/{room}.rs:1: {room} has no place in scripts/rooms.txt")
    return places


def circles(crate):
    """Files of one room that use each other in a circle, by the names that they take from their owners."""
    exported, graph = crate.exports(), {}
    for module in crate.modules:
        targets = {crate.owner(path, exported) for _, path in crate.paths(module)}
        graph[module] = {other for other in targets if other and other != module and other[0] == module[0]}
    found, index, low, stack = [], {}, {}, []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = []
            while not group or group[-1] != node:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    sys.setrecursionlimit(10_000)
    for node in sorted(graph):
        if node not in index:
            visit(node)
    return [[(node, sorted(graph[node] & set(group))) for node in group] for group in sorted(found)]


def main():
    passed = failed = 0
    for name, rooms in read_order(ORDER).items():
        crate = Crate(name)
        for places in arrows_up(name, crate, rooms).values():
            for place in places:
                print(place)
            passed, failed = passed + (not places), failed + bool(places)
        if "--circles" in sys.argv[1:]:
            for group in circles(crate):
                print(f"{name}: a circle of {len(group)} files")
                for node, others in group:
                    print(f"  {'/'.join(node)} -> {', '.join('/'.join(other) for other in others)}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
