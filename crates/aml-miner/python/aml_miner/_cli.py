"""The program ``aml-miner-batch``, as the wheel installs it."""

from __future__ import annotations

import signal
import sys

from . import _native


def main() -> None:
    """Runs it with the process's arguments."""
    # ^C ends it at once, as it ends the program: Python would hear of it only when the work is done.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    code, out, err = _native.batch_program(sys.argv[1:])
    try:
        sys.stdout.write(out)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough.
        sys.stderr.close()
    if err:
        # The text of a wrong command line says itself what it is.
        sys.stderr.write(err if code == 2 and err.startswith("error:") else f"aml-miner-batch: {err}\n")
    sys.exit(code)
