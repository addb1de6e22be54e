"""Clients of the inference API, ``Client`` and ``AsyncClient``, with typed answers. Needs ``pip install 'aml-miner[client]'``.

>>> from aml_miner.client import Client
>>> with Client("http://localhost:8000") as api:
...     reply = api.score_alerts(aml.read_batch("data/2025-10-26_w7"))
...     reply.verify()                      # the receipt vouches for exactly this request and this answer
...     print(reply[0].score, reply.warnings)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Callable, Generic, Iterator, Mapping, TypeVar

try:
    import httpx
except ImportError as error:  # pragma: no cover
    raise ImportError("the client needs httpx: pip install 'aml-miner[client]'") from error

from ._data import Batch
from ._errors import AmlError, UsageError
from ._models import verify_receipt

__all__ = ["AlertRank", "AlertScore", "ApiError", "AsyncClient", "Client", "ClusterScore", "Reply"]

EXPLAIN = ("top", "full", "none")


class ApiError(AmlError):
    """The server refused, or did not answer as it must."""

    def __init__(self, message: str, *, status: int | None = None, code: str | None = None, detail: Any = None, request_id: str | None = None):
        super().__init__(message)
        #: Status of the answer; ``None`` where there was none.
        self.status = status
        #: The stable code, such as ``invalid_request``.
        self.code = code
        #: A text, or up to 20 problems with ``loc``, ``msg``, ``type`` and ``input``.
        self.detail = detail
        #: Under which the server's log has it.
        self.request_id = request_id


class _Explained:
    explain_json: str | None

    @property
    def explanation(self) -> dict[str, Any] | None:
        """``score``, ``base_value`` and ``top_features`` (``feature``, ``value``, ``impact``); ``None`` where none was asked for."""
        return json.loads(self.explain_json) or None if self.explain_json else None


@dataclass(frozen=True)
class AlertScore(_Explained):
    """An alert's score: the probability that it is confirmed illicit."""

    alert_id: str
    score: float
    model_version: str
    latency_ms: float
    explain_json: str | None = None


@dataclass(frozen=True)
class AlertRank:
    """An alert's place in the queue, 1 first."""

    alert_id: str
    rank: int
    score: float


@dataclass(frozen=True)
class ClusterScore(_Explained):
    """A cluster's score."""

    cluster_id: str
    score: float
    model_version: str
    latency_ms: float
    explain_json: str | None = None


Row = TypeVar("Row")


@dataclass(frozen=True)
class Reply(Generic[Row]):
    """The rows of an answer, with the bytes that its receipt is about."""

    rows: list[Row]
    #: The request's body as sent.
    request: bytes
    #: The answer's body.
    body: bytes
    #: ``X-AML-Receipt``.
    receipt: str | None
    #: ``X-AML-Warnings``: what the request lacked.
    warnings: dict[str, Any] | None
    request_id: str | None

    def verify(self, signer: str | None = None) -> dict[str, Any]:
        """What the receipt says; raises :class:`~aml_miner.ReceiptError` where it does not hold."""
        return verify_receipt(self.receipt or "", self.request, self.body, signer)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> Row:
        return self.rows[place]


def _bytes(batch: Batch | Mapping[str, Any] | bytes) -> bytes:
    if isinstance(batch, Batch):
        return batch.to_request()
    if isinstance(batch, (bytes, bytearray)):
        return bytes(batch)
    if isinstance(batch, Mapping):
        return json.dumps(batch, allow_nan=False).encode()
    raise UsageError(f"a Batch, a mapping or the bytes of a body are wanted, {type(batch).__name__} was given")


def _query(explain: str | None, strict: bool) -> dict[str, str]:
    if explain is not None and explain not in EXPLAIN:
        raise UsageError(f"explain is `{explain}`: it must be one of {', '.join(EXPLAIN)}")
    query = {} if explain is None else {"explain": explain}
    return {**query, "strict": "true"} if strict else query


def _refusal(response: httpx.Response) -> ApiError:
    try:
        told = response.json()
        detail, code, request_id = told["detail"], told.get("code"), told.get("request_id")
    except (ValueError, KeyError, TypeError):
        detail, code, request_id = response.text[:200], None, response.headers.get("x-request-id")
    if isinstance(detail, list):
        problems = [f"{'.'.join(str(step) for step in one['loc'])}: {one['msg']}" for one in detail]
        text = "; ".join(problems)
    else:
        text = str(detail)
    return ApiError(f"{response.status_code}: {text}", status=response.status_code, code=code, detail=detail, request_id=request_id)


def _checked(response: httpx.Response) -> httpx.Response:
    if response.status_code != 200:
        raise _refusal(response)
    return response


def _json(response: httpx.Response) -> dict[str, Any]:
    return _checked(response).json()


def _reply(row: Callable[..., Row], request: bytes, response: httpx.Response) -> Reply[Row]:
    body = _checked(response).content
    known = row.__dataclass_fields__  # type: ignore[attr-defined]
    try:
        rows = [row(**{key: value for key, value in one.items() if key in known}) for one in json.loads(body)]
    except (ValueError, TypeError, AttributeError) as error:
        raise ApiError(f"the answer cannot be read: {error}", status=200) from error
    warnings = response.headers.get("x-aml-warnings")
    return Reply(
        rows=rows,
        request=request,
        body=body,
        receipt=response.headers.get("x-aml-receipt"),
        warnings=json.loads(warnings) if warnings else None,
        request_id=response.headers.get("x-request-id"),
    )


def _settings(url: str, timeout: float, token: str | None, transport: Any) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return {"base_url": url, "timeout": timeout, "headers": headers, "transport": transport}


_JSON = {"content-type": "application/json"}


def _lost(error: httpx.HTTPError) -> ApiError:
    return ApiError(f"no answer: {str(error) or type(error).__name__}")


class Client:
    """A client of the inference API. ``token`` is the one of ``/admin``; ``timeout`` is seconds."""

    def __init__(self, url: str = "http://localhost:8000", *, timeout: float = 120.0, token: str | None = None, transport: httpx.BaseTransport | None = None):
        self._http = httpx.Client(**_settings(url, timeout, token, transport))

    def score_alerts(self, batch: Batch | Mapping[str, Any] | bytes, *, explain: str | None = None, strict: bool = False) -> Reply[AlertScore]:
        """A score for every alert, in request order. ``explain``: ``top``, ``full`` or ``none``; ``strict`` refuses what would be passed over."""
        return self._post(AlertScore, "/score/alerts", batch, _query(explain, strict))

    def rank_alerts(self, batch: Batch | Mapping[str, Any] | bytes, *, strict: bool = False) -> Reply[AlertRank]:
        """All alerts, the most urgent first."""
        return self._post(AlertRank, "/rank/alerts", batch, _query(None, strict))

    def score_clusters(self, batch: Batch | Mapping[str, Any] | bytes, *, explain: str | None = None, strict: bool = False) -> Reply[ClusterScore]:
        """A score for every cluster, in request order."""
        return self._post(ClusterScore, "/score/clusters", batch, _query(explain, strict))

    def health(self) -> dict[str, Any]:
        """Whether the server lives, and with which models."""
        return self._get("/health")

    def ready(self) -> bool:
        """Whether it can score."""
        try:
            return self._http.get("/ready").status_code == 200
        except httpx.HTTPError as error:
            raise _lost(error) from error

    def version(self) -> dict[str, Any]:
        """Versions of the API, the models and the build."""
        return self._get("/version")

    def reload(self) -> dict[str, Any]:
        """Loads the models anew; needs the token."""
        try:
            return _json(self._http.post("/admin/reload"))
        except httpx.HTTPError as error:
            raise _lost(error) from error

    def close(self) -> None:
        """Ends its connections."""
        self._http.close()

    def _get(self, path: str) -> dict[str, Any]:
        try:
            return _json(self._http.get(path))
        except httpx.HTTPError as error:
            raise _lost(error) from error

    def _post(self, row: Callable[..., Row], path: str, batch: Any, query: dict[str, str]) -> Reply[Row]:
        body = _bytes(batch)
        try:
            response = self._http.post(path, content=body, params=query, headers=_JSON)
        except httpx.HTTPError as error:
            raise _lost(error) from error
        return _reply(row, body, response)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient:
    """As :class:`Client`, for ``asyncio``."""

    def __init__(self, url: str = "http://localhost:8000", *, timeout: float = 120.0, token: str | None = None, transport: httpx.AsyncBaseTransport | None = None):
        self._http = httpx.AsyncClient(**_settings(url, timeout, token, transport))

    async def score_alerts(self, batch: Batch | Mapping[str, Any] | bytes, *, explain: str | None = None, strict: bool = False) -> Reply[AlertScore]:
        """A score for every alert, in request order. ``explain``: ``top``, ``full`` or ``none``; ``strict`` refuses what would be passed over."""
        return await self._post(AlertScore, "/score/alerts", batch, _query(explain, strict))

    async def rank_alerts(self, batch: Batch | Mapping[str, Any] | bytes, *, strict: bool = False) -> Reply[AlertRank]:
        """All alerts, the most urgent first."""
        return await self._post(AlertRank, "/rank/alerts", batch, _query(None, strict))

    async def score_clusters(self, batch: Batch | Mapping[str, Any] | bytes, *, explain: str | None = None, strict: bool = False) -> Reply[ClusterScore]:
        """A score for every cluster, in request order."""
        return await self._post(ClusterScore, "/score/clusters", batch, _query(explain, strict))

    async def health(self) -> dict[str, Any]:
        """Whether the server lives, and with which models."""
        return await self._get("/health")

    async def ready(self) -> bool:
        """Whether it can score."""
        try:
            return (await self._http.get("/ready")).status_code == 200
        except httpx.HTTPError as error:
            raise _lost(error) from error

    async def version(self) -> dict[str, Any]:
        """Versions of the API, the models and the build."""
        return await self._get("/version")

    async def reload(self) -> dict[str, Any]:
        """Loads the models anew; needs the token."""
        try:
            return _json(await self._http.post("/admin/reload"))
        except httpx.HTTPError as error:
            raise _lost(error) from error

    async def close(self) -> None:
        """Ends its connections."""
        await self._http.aclose()

    async def _get(self, path: str) -> dict[str, Any]:
        try:
            return _json(await self._http.get(path))
        except httpx.HTTPError as error:
            raise _lost(error) from error

    async def _post(self, row: Callable[..., Row], path: str, batch: Any, query: dict[str, str]) -> Reply[Row]:
        body = _bytes(batch)
        try:
            response = await self._http.post(path, content=body, params=query, headers=_JSON)
        except httpx.HTTPError as error:
            raise _lost(error) from error
        return _reply(row, body, response)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
