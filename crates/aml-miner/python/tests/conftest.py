"""What the tests of the package share: the programs (in AML_BIN_DIR), days and models."""

import os
import re
import subprocess
from pathlib import Path

import pytest

import aml_miner as aml

ROOT = Path(__file__).resolve().parents[4]
PROGRAMS = Path(os.environ["AML_BIN_DIR"])


class Ended:
    """A program that has ended."""

    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def bad(self):
        """Its findings, without mark and place."""
        return [line.split(": ", 1)[1] for line in self.out.splitlines() if line.startswith("BAD  ")]


def program(name, *args, **environment):
    """Runs one of the programs."""
    done = subprocess.run(
        [PROGRAMS / name, *map(str, args)], capture_output=True, text=True, env={**os.environ, **environment}, cwd=ROOT, check=False
    )
    return Ended(done)


@pytest.fixture(scope="session")
def days(tmp_path_factory):
    """A data directory of 45 labelled days."""
    directory = tmp_path_factory.mktemp("world") / "data"
    aml.simulate(directory, days=45, alerts=80, addresses=900, seed=5)
    return directory


@pytest.fixture(scope="session")
def day(days):
    """One of them."""
    return sorted(days.iterdir())[30]


@pytest.fixture(scope="session")
def models():
    """The shipped models."""
    return ROOT / "trained_models"


@pytest.fixture(scope="session")
def split(days):
    """The labelled rows, split."""
    return aml.time_split(days, embargo_days=5, bootstrap=0)


@pytest.fixture(scope="session")
def server(models, tmp_path_factory):
    """The address of a server with the shipped models."""
    home = tmp_path_factory.mktemp("server")
    log = home / "log"
    settings = {"API_HOST": "127.0.0.1", "API_PORT": "0", "LOG_FORMAT": "json", "MINER_SIGNING_KEY_FILE": str(home / "key")}
    with log.open("w") as out:
        running = subprocess.Popen([PROGRAMS / "aml-miner-serve"], env={**os.environ, **settings}, stdout=out, stderr=out, cwd=ROOT)
    try:
        yield address(running, log)
    finally:
        running.terminate()
        running.wait()


def address(running, log):
    """Where a server listens, as soon as its log says so."""
    with log.open() as lines:
        while running.poll() is None:
            found = re.search(r'"address":"([^"]*)"', lines.readline())
            if found:
                return f"http://{found[1]}"
    raise RuntimeError(log.read_text())
