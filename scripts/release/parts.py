#!/usr/bin/env python3
"""The parts of a release that are text; used by release.sh. The same clone and programs give the same bytes.

    parts.py version                          the version of the workspace
    parts.py notes VERSION                    the part of CHANGELOG.md about a version
    parts.py sbom --target TRIPLE             what the programs are made of, as CycloneDX 1.5
    parts.py licences --target TRIPLE         the licences of all that, one line for each crate
    parts.py depends DIR                      what Debian packages the programs in DIR need
    parts.py build --target TRIPLE ...        how the programs were made, with their digests
    parts.py others --target TRIPLE           for which machines nothing was built
"""
import argparse
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGETS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"]
FEATURES = ["--features", "redis"]
PROGRAMS = ["aml-miner-batch", "aml-miner-serve", "aml-miner-train", "aml-subnet"]
# Which package has a library that the programs load.
DEBIAN = {"libgomp.so.1": "libgomp1", "libstdc++.so.6": "libstdc++6", "libgcc_s.so.1": "libgcc-s1"}
C_LIBRARY = re.compile(r"lib(c|m|dl|pthread|rt|mvec)\.so\.\d|ld-linux[\w.-]*\.so\.\d")


def version() -> str:
    return tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]


def epoch() -> str:
    moment = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    return datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def notes(wanted: str) -> str:
    """The section of a version; until it has one, what is not released yet."""
    sections = re.split(r"(?m)^## ", (ROOT / "CHANGELOG.md").read_text())[1:]
    for section in sections:
        head, _, body = section.partition("\n")
        if re.match(rf"\[?{re.escape(wanted)}\b", head):
            return f"# {wanted}\n{body.rstrip()}\n"
    for section in sections:
        head, _, body = section.partition("\n")
        if head.strip().lower() == "unreleased":
            print("release: CHANGELOG.md has no section for this version; the notes are those of `Unreleased`", file=sys.stderr)
            return f"# {wanted}\n{body.rstrip()}\n"
    sys.exit(f"release: CHANGELOG.md says nothing of {wanted}")


def metadata(target: str) -> dict:
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", target, *FEATURES]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def shipped(found: dict) -> tuple[list, dict]:
    """(packages, what each depends on) of everything that is compiled into the programs or used to build them."""
    edges = {}
    for node in found["resolve"]["nodes"]:
        edges[node["id"]] = sorted(
            dep["pkg"] for dep in node["deps"] if any(kind["kind"] != "dev" for kind in dep["dep_kinds"]))
    reached, todo = set(), list(found["workspace_members"])
    while todo:
        package = todo.pop()
        if package not in reached:
            reached.add(package)
            todo += edges.get(package, [])
    packages = sorted((package for package in found["packages"] if package["id"] in reached),
                      key=lambda package: (package["name"], package["version"], package["id"]))
    return packages, {package: [other for other in edges.get(package, []) if other in reached] for package in reached}


def expression(package: dict) -> str:
    """The licence as SPDX writes it; older crates separate with a slash."""
    return (package["license"] or "").replace("/", " OR ").replace("  ", " ")


def checksums() -> dict:
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    return {(package["name"], package["version"]): package.get("checksum") for package in locked}


def purl(package: dict) -> str:
    return f"pkg:cargo/{package['name']}@{package['version'].replace('+', '%2B')}"


def component(package: dict, sums: dict) -> dict:
    about = {"type": "library", "bom-ref": purl(package), "name": package["name"], "version": package["version"],
             "purl": purl(package)}
    if package["license"]:
        about["licenses"] = [{"expression": expression(package)}]
    elif package["license_file"]:
        about["licenses"] = [{"license": {"name": f"see {package['license_file']} of the crate"}}]
    if sums.get((package["name"], package["version"])):
        about["hashes"] = [{"alg": "SHA-256", "content": sums[package["name"], package["version"]]}]
    return about


def sbom(target: str) -> str:
    packages, edges = shipped(metadata(target))
    names = {package["id"]: purl(package) for package in packages}
    sums = checksums()
    own = f"pkg:generic/aml@{version()}"
    depends = [{"ref": own, "dependsOn": sorted(names[package["id"]] for package in packages if package["source"] is None)}]
    depends += [{"ref": names[package], "dependsOn": sorted({names[other] for other in edges[package]})} for package in edges]
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {
            "timestamp": epoch(),
            "component": {"type": "application", "bom-ref": own, "name": "aml", "version": version(),
                          "licenses": [{"expression": "MIT"}]},
            "properties": [{"name": "aml:target", "value": target}],
        },
        "components": [component(package, sums) for package in packages],
        "dependencies": sorted(depends, key=lambda one: one["ref"]),
    }
    text = json.dumps(document, sort_keys=True)
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, text)}"
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def licences(target: str) -> str:
    packages, _ = shipped(metadata(target))
    lines = [f"{package['name']} {package['version']}: {expression(package) or 'see ' + str(package['license_file'])}"
             for package in packages if package["source"] is not None]
    return "What the programs are made of, and under which licences. The crates hold the texts.\n\n" + "\n".join(lines) + "\n"


def depends(folder: pathlib.Path) -> str:
    """Debian packages by the libraries that the programs name, and the newest version of the C library that they ask for."""
    needs, newest = set(), (2, 17)
    for program in PROGRAMS:
        told = subprocess.run(["objdump", "-p", folder / program], capture_output=True, text=True, check=True).stdout
        for library in re.findall(r"NEEDED\s+(\S+)", told):
            if C_LIBRARY.fullmatch(library):
                continue
            if library not in DEBIAN:
                sys.exit(f"release: {program} needs {library}, and nobody has said which package has it")
            needs.add(DEBIAN[library])
        newest = max([newest, *(tuple(map(int, found.split("."))) for found in re.findall(r"GLIBC_(\d+\.\d+)", told))])
    return ", ".join([f"libc6 (>= {newest[0]}.{newest[1]})", *sorted(needs), "ca-certificates"])


def build(options) -> str:
    compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()
    digests = {program: hashlib.sha256((options.bins / program).read_bytes()).hexdigest() for program in PROGRAMS}
    about = {"version": version(), "commit": options.commit, "committed_at": epoch(), "target": options.target,
             "compiler": compiler, "programs": digests, "programs_were_given": options.given,
             "not_built_here": [other for other in TARGETS if other != options.target]}
    return json.dumps(about, indent=1, sort_keys=True) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["version", "notes", "sbom", "licences", "depends", "build", "others"])
    parser.add_argument("detail", nargs="?")
    parser.add_argument("--target", default=TARGETS[0])
    parser.add_argument("--commit", default="")
    parser.add_argument("--given", action="store_true")
    parser.add_argument("--bins", type=pathlib.Path)
    options = parser.parse_args()
    texts = {
        "version": lambda: version() + "\n",
        "notes": lambda: notes(options.detail),
        "sbom": lambda: sbom(options.target),
        "licences": lambda: licences(options.target),
        "depends": lambda: depends(pathlib.Path(options.detail)) + "\n",
        "build": lambda: build(options),
        "others": lambda: ", ".join(other for other in TARGETS if other != options.target) + "\n",
    }
    sys.stdout.write(texts[options.what]())


if __name__ == "__main__":
    main()
