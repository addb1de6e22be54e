#!/usr/bin/env python3
"""A miner's inference API in Python alone: FastAPI, and the wheel for schemas, features, scores and receipts.

    pip install aml-miner fastapi uvicorn
    python examples/miner.py --models trained_models --port 8000
    aml-miner-batch validate-submission --api-url http://127.0.0.1:8000 --batch data/2025-10-26_w7

It stands behind the proxy as `aml-miner-serve` does: `aml-subnet miner --miner.api_url http://127.0.0.1:8000 ...`. To answer with something of
your own, change `answer`: it gets a batch and gives one table per route; what it says about the model goes into the receipt.
`aml-miner-serve` has more: other forms of bodies and answers, warnings, metrics, reloading, fair queues.
"""

import argparse
import json
import time
import zlib
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

import aml_miner as aml

#: Bytes of a body as sent, and decompressed.
MAX_BODY, MAX_DECODED = 256 << 20, 1 << 30
#: Which table of an answer a route gives, which table its request must have, and the columns of a row.
ROUTES = {
    "/score/alerts": ("scores", "alerts", ("alert_id", "score", "model_version", "explain_json")),
    "/rank/alerts": ("rankings", "alerts", ("alert_id", "rank", "score")),
    "/score/clusters": ("cluster_scores", "clusters", ("cluster_id", "score", "model_version", "explain_json")),
}


class Refused(Exception):
    """An answer that is no score."""

    def __init__(self, status, code, detail):
        super().__init__(detail)
        self.status, self.body = status, {"detail": detail, "code": code}


def answer(models, batch, explain):
    """Every model's answer to a batch."""
    return models.score(batch, explain=explain)


def rows_of(table, columns, latency_ms):
    """The rows of a table as the API has them."""
    values = {name: table.column(name).to_pylist() for name in columns if name in table.column_names}
    rows = [dict(zip(values, row)) for row in zip(*values.values())]
    if "model_version" in values:
        for row in rows:
            row["latency_ms"] = latency_ms / max(len(rows), 1)
            row.setdefault("explain_json", None)
    return rows


def scored(models, key, route, body, explain):
    """The bytes of an answer and its receipt."""
    name, required, columns = ROUTES[route]
    try:
        batch = aml.Batch.from_request(body, required)
    except aml.RequestError as error:
        code = "invalid_request" if error.problems else "malformed_json"
        raise Refused(error.status, code, error.problems or str(error)) from error
    started = time.perf_counter()
    try:
        answers = answer(models, batch, explain)
    except aml.UsageError as error:
        raise Refused(422, "invalid_request", str(error)) from error
    if name not in answers:
        raise Refused(503, "no_model", f"no model gives {name}")
    latency_ms = (time.perf_counter() - started) * 1000
    content = json.dumps(rows_of(answers[name].table, columns, latency_ms), separators=(",", ":"), allow_nan=False).encode()
    return content, key.sign(body, content, answers[name])


async def received(request):
    """The decoded body of a request, within bounds."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            raise Refused(413, "too_large", f"The body is larger than {MAX_BODY} bytes as sent")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return bytes(body)
    if encoding != "gzip":
        raise Refused(415, "unsupported_media_type", f"Content-Encoding `{encoding[:40]}` is not known; use gzip or none")
    return await run_in_threadpool(unpacked, bytes(body))


def unpacked(body):
    """What a gzip body holds, within bounds."""
    decoded = bytearray()
    try:
        while body:
            decoder = zlib.decompressobj(wbits=31)
            decoded += decoder.decompress(body, MAX_DECODED + 1 - len(decoded))
            if len(decoded) > MAX_DECODED:
                raise Refused(413, "too_large", f"The body is larger than {MAX_DECODED} bytes decoded")
            if not decoder.eof:
                raise Refused(400, "malformed_body", "The body ends early")
            body = decoder.unused_data
    except zlib.error as error:
        raise Refused(400, "malformed_body", f"The body cannot be read: {error}") from error
    return bytes(decoded)


def app_of(directory, signing_key):
    """The API with the models of a directory."""
    models, key = aml.Models(directory), aml.ReceiptKey(signing_key)
    kinds = ("alert_scorer", "alert_ranker", "cluster_scorer")
    known = json.loads((Path(directory) / "model_metadata.json").read_text())["models"].values()
    versions = {f"{kind}_version": next((one["model_version"] for one in known if one["model"] == kind), None) for kind in kinds}
    app = FastAPI(title="A miner in Python", docs_url="/docs")

    @app.exception_handler(Refused)
    async def refused(_, error):
        return Response(json.dumps(error.body), status_code=error.status, media_type="application/json")

    @app.get("/health")
    def health():
        loaded = {kind: versions[f"{kind}_version"] is not None for kind in kinds}
        return {"status": "healthy", "models_loaded": loaded, "timestamp": time.time()}

    @app.get("/ready")
    def ready():
        return {"status": "ready"}

    @app.get("/version")
    def version():
        return {"api_version": aml.__version__, **versions}

    def add(route):
        @app.post(route)
        async def score(request: Request, explain: str = "top"):
            kind = request.headers.get("content-type", "application/json").split(";")[0].strip().lower()
            if kind != "application/json":
                raise Refused(415, "unsupported_media_type", f"Content-Type `{kind[:60]}` is not known; send application/json")
            body = await received(request)
            # Scoring runs beside other requests: the wheel lets go of the interpreter's lock.
            content, receipt = await run_in_threadpool(scored, models, key, route, body, explain)
            return Response(content, media_type="application/json", headers={"x-aml-receipt": receipt})

    for route in ROUTES:
        add(route)
    return app


def main():
    parser = argparse.ArgumentParser(description="A miner's inference API in Python")
    parser.add_argument("--models", default="trained_models", help="directory of the models")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one, which the log names")
    parser.add_argument("--signing-key", help="file of the receipts' key [default: the programs' own]")
    args = parser.parse_args()
    uvicorn.run(app_of(args.models, args.signing_key), host=args.host, port=args.port, log_level="info")


if __name__ == "__main__":
    main()
