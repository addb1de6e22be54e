#!/usr/bin/env python3
"""Every command in the documentation is run by a test, or says why not, and files that pages name exist; used by docs.sh.

    docs.py --bin DIR            compares the pages with docs_commands.txt, runs what is to be run here
    docs.py --list               prints the commands of the pages

docs_commands.txt has one line for each: HOW | COMMAND | DETAIL. COMMAND is how the command begins in the pages. HOW is
`run` (DETAIL is run here, in the order of the file, in one directory; it may be smaller than the page's example),
`test` (DETAIL names the file that runs it), or `not` (DETAIL is the reason). Options of our own programs are compared with
their --help in any case.
"""
import argparse
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = ROOT / "scripts/checks/docs_commands.txt"
PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/*.md"))]
# What a line of an example must begin with to be a command.
PROGRAMS = r"(\./)?scripts/|deploy/|cargo |aml-(subnet|miner-\w+)\b|target/release/aml|curl |docker |kubectl |systemctl |btcli |sudo|cp |journalctl |pg_dump"
COMMAND = re.compile(rf"([A-Z_]+=\S+ )*({PROGRAMS})")
# Its examples are run word for word by a test of their own.
WHOLE_PAGES = {
    "docs/api_reference.md": "crates/aml-miner/tests/it/api_reference.rs",
    "docs/validator_api.md": "crates/aml-subnet/tests/it/api_docs.rs",
    "docs/first_subnet.md": "scripts/checks/first_subnet.sh",
}


def commands():
    """(place, command) of every example."""
    for page in PAGES:
        if page in WHOLE_PAGES:
            continue
        inside, joined = False, ""
        for number, line in enumerate((ROOT / page).read_text().splitlines(), 1):
            if line.lstrip().startswith("```"):
                inside = not inside
                continue
            text = joined + line.strip()
            if not (inside or joined or line.startswith("    ")) or not COMMAND.match(text):
                continue
            if text.endswith("\\"):
                joined = text[:-1]
                continue
            joined = ""
            yield f"{page}:{number}", re.sub(r"\s{2,}#.*| # .*| &\s+#.*", "", text).strip()


def table():
    """(how, command, detail) of every line."""
    for line in TABLE.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            yield tuple(part.strip() for part in line.split(" | ", 2))


def begins_with(command, words):
    """Whether a command begins with these words: `aml-subnet miner` is not `aml-subnet miners`."""
    return command.startswith(words) and (words[-1] in "/=" or command[len(words) :][:1] in ("", " ", "/"))


def compared():
    """Problems of the pages against the table."""
    entries = list(table())
    used = set()
    for place, command in commands():
        fitting = [entry for entry in entries if begins_with(command, entry[1])]
        if fitting:
            used.add(max(fitting, key=lambda entry: len(entry[1])))
        else:
            yield f"{place}: `{command}` is neither tested nor excused"
    for entry in entries:
        if entry not in used:
            yield f"docs_commands.txt: no page says `{entry[1]}` any more"
        if entry[0] not in ("run", "test", "not"):
            yield f"docs_commands.txt: `{entry[0]}` is not a way to treat a command"
        if entry[0] == "test" and not (ROOT / entry[2]).exists():
            yield f"docs_commands.txt: {entry[2]} is not there"
    for page, test in WHOLE_PAGES.items():
        if pathlib.Path(page).name not in (ROOT / test).read_text():
            yield f"{test} does not read {page}"


def places():
    """Problems of files that pages name, and of what the tour in CONTRIBUTING.md says stands in them."""
    tops = r"crates|scripts|config|deploy|monitoring|examples|trained_models|\.github|\.devcontainer"
    for page in PAGES:
        for number, line in enumerate((ROOT / page).read_text().splitlines(), 1):
            named = re.findall(rf"`((?:{tops})(?:/[\w.-]+)*)/?`", line)
            for path in named:
                if not (ROOT / path).exists():
                    yield f"{page}:{number}: there is no {path}"
            if page == "CONTRIBUTING.md" and line.startswith("|") and named and (ROOT / named[0]).is_file():
                text = (ROOT / named[0]).read_text()
                for word in re.findall(r"`([\w.]+)`", line.rsplit("|", 2)[1]):
                    if not re.search(rf"\b{re.escape(word)}\b", text):
                        yield f"{page}:{number}: {named[0]} has no {word}"


def own_options(programs: pathlib.Path):
    """Problems of the options of our own programs against their --help."""
    helps = {}
    for place, command in commands():
        words = command.replace("target/release/", "").split()
        while words and re.match(r"[A-Z_]+=", words[0]):
            words.pop(0)
        if not words or not re.fullmatch(r"aml-(subnet|miner-(serve|train|batch))", words[0]):
            continue
        program, *rest = words
        place_of = [program]
        for word in rest:
            if not re.fullmatch(r"[a-z][a-z0-9-]*", word) or len(place_of) == 3:
                break
            answer = help_of(programs, [*place_of, word], helps)
            if answer is None:
                break
            place_of.append(word)
        shown = help_of(programs, place_of, helps) or ""
        if program != "aml-miner-serve" and len(place_of) == 1 and rest and not rest[0].startswith("-"):
            yield f"{place}: {program} has no `{rest[0]}`"
        for option in re.findall(r"(?<=[\s\[])--[a-z][a-z0-9_.-]*", " " + command):
            if not re.search(rf"{re.escape(option)}(?![\w.-])", shown):
                yield f"{place}: {' '.join(place_of)} has no {option}"


def help_of(programs, words, known):
    """What `words --help` prints; None when there is no such command."""
    key = tuple(words)
    if key not in known:
        program = programs / words[0]
        run = subprocess.run([program, *words[1:], "--help"], capture_output=True, text=True, timeout=60)
        usage = re.search(r"Usage: (.*)", run.stdout)
        is_it = run.returncode == 0 and usage and usage.group(1).startswith(" ".join(words))
        known[key] = run.stdout if is_it else None
    return known[key]


def runs(programs: pathlib.Path):
    """Runs what is to be run here; (command, outcome, output) of each."""
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "ROOT": str(ROOT), "NO_COLOR": "1",
                   "MINER_SIGNING_KEY_FILE": "receipt.key"}
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        for name in ("config", "trained_models"):
            (work / name).symlink_to(ROOT / name)
        started = []
        try:
            for how, command, detail in table():
                if how == "run":
                    yield command, *run(detail, work, environment, started)
        finally:
            for process in started:
                process.terminate()
                process.wait()


def run(detail, work, environment, started):
    """Runs one line; what ends with & goes on, and what follows it waits until it answers."""
    log = work / "log"
    if detail.endswith("&"):
        started.append(subprocess.Popen(shlex.split(detail[:-1]), cwd=work, env=environment, stderr=open(log, "w")))
        return True, ""
    done = subprocess.run(["bash", "-euc", detail], cwd=work, env=environment, capture_output=True, text=True, timeout=300)
    return done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        for place, command in commands():
            print(f"{place}: {command}")
        return 0
    passed, problems = 0, []
    for what, found in (("every command is tested or excused", list(compared())),
                        ("every file that a page names is there", list(places()))):
        problems += found
        if not found:
            passed += 1
            print(f"ok: {what}")
    if options.bin:
        programs = options.bin.resolve()
        wrong = list(own_options(programs))
        problems += wrong
        if not wrong:
            passed += 1
            print("ok: every option of our programs is one that they have")
        for command, fine, output in runs(programs):
            if fine:
                passed += 1
                print(f"ok: {command}")
            else:
                problems.append(f"`{command}` failed:\n{output}")
    else:
        print("skipped: no programs to run the commands with")
    for problem in problems:
        print(f"FAILED: {problem}")
    print(f"\n{passed} passed, {len(problems)} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
