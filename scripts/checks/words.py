#!/usr/bin/env python3
"""The project's text says what it means: words of the field, short sentences, headers that tell what a file holds.

    words.py             looks at every page and every comment; prints FILE:LINE, what stands there and what to say instead
    words.py --self      tries the rules on texts of which it is known what is wrong with them

* `per`: "one row per alert", never "one row an alert" (a noun, `a`, and what it is counted by).
* The phrases of words.txt.
* No sentence of a page is longer than 40 words. A cell of a table, and what stands between semicolons in one, is a
  sentence of its own; lists of names are none.
* A file of the crates begins with a sentence of at least four words.
"""
import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LONGEST = 40
SHORTEST_HEADER = 4
PAGES = re.compile(r"(README|CONTRIBUTING|SECURITY)\.md|docs/[\w-]+\.md")
TEXT = (".md", ".rs", ".py", ".sh", ".toml", ".yml", ".yaml", ".html")
# These hold the phrases themselves, and texts that were written down elsewhere.
LEFT_OUT = ("scripts/checks/words", "crates/aml-miner/assets/")

THINGS = (
    r"rows?|entr(?:y|ies)|numbers?|lines?|connections?|[KMGT]i?B|bytes|columns?|files?|streams?|tasks?|writers?|vectors?|"
    r"features|segments?|steps|tables?|values?|additions|knots?|outcomes?|bodies|requests?|subscriptions?|keys?|buckets?|"
    r"µs|ms|objects?|verdicts?|attempts?|answers?|floats?|integers?|probabilit(?:y|ies)|seeds?|pages?|folders?|sections?|"
    r"directory|submissions?|scores?|validators?|subcommands?|structs?|trait|deadline|trials?|places?|names?|pages?|weights"
)
UNITS = (
    r"alerts?|address|row|line|model|miner|validator|hotkey|peer|request|answer|field|part|tree|table|body|connection|batch|"
    r"file|thread|process|page|epoch|round|feature|column|value|endpoint|ledger|crate|cluster|submission|query|call|key|"
    r"caller|bin|node|cell|test|group|block|edge|neuron|leaf|split|label|outcome|world|owner|point|place|id|host|subnet|"
    r"member|case|hop|transaction|role|concern|thing|trap|scenario|day"
)
AMOUNT = r"(?:one|a|an|single|two|three|several|finite|own|\d[\d,.]*|at most \d+)"
AFTER = r"(?=[.,;:)|\"]|$| (?:and|or|in|of|on|by|with|at|as|to|than|never|beside|whatever|each)\b)"
NO_VERB = r"(?!(?:can|cannot|not|to|that|which|who|will|may|must|is|are|has|have)\b)"
PER = re.compile(
    rf"\b{AMOUNT} (?:{NO_VERB}[\w-]+ ){{0,3}}?(?:{THINGS}) an? (?:[\w-]+ )?(?:{UNITS})\b{AFTER}"
    rf"|\bonce an? (?:[\w-]+ )?(?:{UNITS})\b{AFTER}",
    re.IGNORECASE,
)
BY_TIME = re.compile(r" an? (?:[\w-]+ )?day\b")


def phrases():
    """(pattern, what to say instead, where) of every line of words.txt."""
    for line in (ROOT / "scripts/checks/words.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            pattern, instead, *place = (part.strip() for part in re.split(r" \| ", line))
            yield re.compile(pattern), instead, (place or [""])[0]


def plain(text):
    """Running text: code and links as single words, no marks of emphasis."""
    text = re.sub(r"`[^`]*`", "CODE", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"\s+", " ", text.replace("**", "")).strip()


def sentences(text):
    return re.split(r"(?<=[.!?:])[\"')*]*\s+(?=[A-Z*\"(`\d])", text)


def paragraphs(lines):
    """(line, text, whether it is a cell) of a page; code is left out."""
    inside, start, held = False, 0, []

    def flush():
        if held:
            yield start, " ".join(held), False
            held.clear()

    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if stripped.startswith("```"):
            inside = not inside
            yield from flush()
        elif inside or (line.startswith("    ") and not held) or not stripped or stripped.startswith(("#", "<!--")):
            yield from flush()
        elif stripped.startswith("|"):
            yield from flush()
            for cell in stripped.strip("|").split(" | "):
                yield number, cell.strip(), True
        else:
            if re.match(r"([*-]|\d+\.) ", stripped):
                yield from flush()
                stripped = re.sub(r"^([*-]|\d+\.) ", "", stripped)
            if not held:
                start = number
            held.append(stripped)
    yield from flush()


def comments(lines, marks):
    """(line, text) of every block of comments, and of every line with a text in quotes."""
    start, held = 0, []
    for number, line in enumerate([*lines, ""], 1):
        found = re.match(marks, line)
        if found:
            text = line[found.end() :].strip()
            if not text and held:
                yield start, " ".join(held)
                held = []
            elif text:
                start = start if held else number
                held.append(text)
            continue
        if held:
            yield start, " ".join(held)
            held = []
        if '"' in line:
            yield number, " ; ".join(re.findall(r'"([^"]*)"?', line))


def phrase_problems(text, path, rules):
    """(what stands there, what to say instead) of one running text."""
    flat = plain(text)
    for found in PER.finditer(flat):
        if not BY_TIME.search(found.group()):
            yield found.group(), "`per`"
    for sentence in sentences(flat):
        for pattern, instead, place in rules:
            found = pattern.search(sentence)
            if found and path.startswith(place):
                yield sentence[max(0, found.start() - 20) : found.end() + 30], instead


def words_of(text):
    return len([word for word in text.split() if re.search(r"\w", word)])


def length_problems(text, is_cell):
    flat = plain(text)
    if not is_cell and not re.search(r"[.!?:][\"')*]*$", flat):
        return
    for sentence in sentences(flat):
        for part in sentence.split("; ") if is_cell else [sentence]:
            if words_of(part) > LONGEST:
                yield part[:80] + " ...", f"{words_of(part)} words: make it two sentences"


def header_problem(lines):
    header = " ".join(line[3:].strip() for line in lines if line.startswith("//!"))
    first = sentences(plain(re.sub(r"^\[?`[^`]*`\]?:\s*", "CODE: ", header)))[0]
    if "CODE: " not in header and words_of(first) < SHORTEST_HEADER and "`" not in header.split(".")[0]:
        yield first, "say in a sentence what the file holds"


def problems_of(path, text, rules):
    """(line, what stands there, what to say instead) of a file."""
    lines = text.splitlines()
    if path.endswith(".md"):
        for line, part, is_cell in paragraphs(lines):
            yield from ((line, *found) for found in phrase_problems(part, path, rules))
            if PAGES.fullmatch(path):
                yield from ((line, *found) for found in length_problems(part, is_cell))
    else:
        marks = r"\s*//[/!]?" if path.endswith(".rs") else r"\s*#"
        for line, part in comments(lines, marks):
            yield from ((line, *found) for found in phrase_problems(part, path, rules))
        if re.match(r"crates/[\w-]+/src/", path) and path.endswith(".rs"):
            yield from ((1, *found) for found in header_problem(lines))


def tries():
    """Texts of which it is known whether something is wrong with them; says what the rules got wrong."""
    rules = list(phrases())
    wrong = [
        ("docs/a.md", "The file has one row an alert.\n"),
        ("docs/a.md", "It is made once a\nmodel, and kept.\n"),
        ("docs/a.md", "Of two answers the first one counts.\n"),
        ("docs/a.md", "Fine. Swept is only the content.\n"),
        ("docs/a.md", "Here " + "word " * 40 + "ends.\n"),
        ("docs/a.md", "| a | " + "word " * 41 + "|\n"),
        ("crates/x/src/a.rs", "//! What is.\n"),
        ("crates/x/src/a.rs", "//! Some words for a header.\n\n/// One score a row.\nfn a() {}\n"),
        ("scripts/a.py", '"""One number an alert, in order."""\n'),
        ("config/a.toml", "# one connection an\n# endpoint, and no more\n"),
    ]
    right = [
        ("docs/a.md", "The file has one row per alert, three times a day. It names a row that a model reads.\n"),
        ("docs/a.md", "Once a round is settled, a key opens. It cannot score a batch in time.\n"),
        ("docs/a.md", "```\nOf two answers one row an alert\n```\n\nHere `one row an alert` is code.\n"),
        ("docs/a.md", "Here " + "word " * 38 + "ends. " + "More " * 30 + ".\n"),
        ("docs/a.md", "| a | " + "word " * 30 + "; " + "word " * 30 + "|\n"),
        ("docs/a.md", "`name`, " * 60 + "\n"),
        ("crates/x/src/a.rs", "//! `x`: runs.\n"),
        ("crates/x/src/a.rs", "//! The rows of a table.\n"),
    ]
    for path, text in wrong:
        if not list(problems_of(path, text, rules)):
            yield f"nothing is found in {path}: {text!r}"
    for path, text in right:
        for found in problems_of(path, text, rules):
            yield f"found in {path}, where nothing is wrong: {found}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--self", action="store_true")
    options = parser.parse_args()
    if options.self:
        found = list(tries())
    else:
        rules, found = list(phrases()), []
        tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for path in tracked.splitlines():
            if path.endswith(TEXT) and not path.startswith(LEFT_OUT) and (ROOT / path).exists():
                for line, text, instead in problems_of(path, (ROOT / path).read_text(errors="replace"), rules):
                    found.append(f"{path}:{line}: {text!r}: {instead}")
    for line in found:
        print(f"FAILED: {line}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
