"""Exceptions, with the words that the programs print."""

from __future__ import annotations

import json
from typing import Any, Sequence


class AmlError(Exception):
    """Anything that this package refuses."""


class DataError(AmlError):
    """Data that cannot be used: a batch, a table, an outcome.

    ``problems`` has everything that is wrong, a line each (at most 20 lines where several things are told at once).
    """

    def __init__(self, message: str, problems: Sequence[str] | None = None) -> None:
        super().__init__(message)
        self.problems: list[str] = list(problems) if problems is not None else [message]


class ModelError(AmlError):
    """A model that cannot be read, be exact, be explained, be written, or that does not fit its features."""


class ReceiptError(AmlError):
    """A receipt that does not vouch for what it shall vouch for."""


class UsageError(AmlError, ValueError):
    """Arguments that make no sense."""


class RequestError(AmlError):
    """The body of a request that is no batch.

    ``problems`` lists what is wrong with its values, as FastAPI does (``loc``, ``msg``, ``type``, ``input``); it is empty where
    the body is not JSON at all.
    """

    def __init__(self, message: str, problems: str = "") -> None:
        super().__init__(message)
        self.problems: list[dict[str, Any]] = json.loads(problems) if problems else []

    @property
    def status(self) -> int:
        """The status that the server answers with: 422 for wrong values, 400 for a body that cannot be read."""
        return 422 if self.problems else 400
