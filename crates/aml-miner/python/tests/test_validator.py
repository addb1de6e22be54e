"""The validator's read API: the module is what its document gives, and reads whatever answers fit that document."""

import asyncio
import json
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

httpx = pytest.importorskip("httpx")

from aml_miner import validator  # noqa: E402

ROOT = Path(__file__).resolve().parents[4]
DOCUMENT = json.loads((ROOT / "crates/aml-subnet/openapi.json").read_text())
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = {
    item["get"]["operationId"]: (route, item["get"])
    for route, item in DOCUMENT["paths"].items()
    if "pages" not in item["get"]["tags"] and route != "/openapi.json"
}


def sample(schema, whole):
    """A value that fits a schema: with everything in it, or with what is required alone and null where that is allowed."""
    if "$ref" in schema:
        return sample(SCHEMAS[schema["$ref"].rsplit("/", 1)[1]], whole)
    if "oneOf" in schema:
        return sample(next(one for one in schema["oneOf"] if one.get("type") != "null"), whole) if whole else None
    if "allOf" in schema:
        return {name: value for one in schema["allOf"] for name, value in sample(one, whole).items()}
    of = schema.get("type")
    if isinstance(of, list):
        return sample({**schema, "type": next(one for one in of if one != "null")}, whole) if whole else None
    if "enum" in schema:
        return schema["enum"][-1]
    if of == "object" and "properties" in schema:
        wanted = schema["properties"] if whole else schema.get("required", [])
        return {name: sample(schema["properties"][name], whole) for name in wanted}
    if of == "object":
        return {"key": sample(schema["additionalProperties"], whole)} if isinstance(schema.get("additionalProperties"), dict) else {"any": [1]}
    if of == "array":
        return [sample(schema["items"], whole)] if whole else []
    return {"string": "text", "integer": 7, "number": 0.5, "boolean": True}.get(of, "anything")


def plain(value):
    """What was read, as JSON again; what is not there and null are the same."""
    if is_dataclass(value):
        told = {field.name.rstrip("_"): plain(getattr(value, field.name)) for field in fields(value)}
        return {name: one for name, one in told.items() if one is not None}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items() if one is not None}
    return value


def words(get):
    """An argument for each part of the path."""
    return {one["name"]: "a/b" for one in get.get("parameters", []) if one["in"] == "path"}


def served(answer, media="application/json", status=200, seen=None):
    def answered(request):
        if seen is not None:
            seen.append(request)
        body = json.dumps(answer).encode() if media == "application/json" else answer
        return httpx.Response(status, content=body, headers={"content-type": media})

    return httpx.MockTransport(answered)


def test_the_module_is_what_the_document_gives():
    done = subprocess.run([sys.executable, ROOT / "scripts/validator_client.py", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", sorted(OPERATIONS))
@pytest.mark.parametrize("whole", [True, False])
def test_every_answer_that_fits_the_document_is_read(name, whole):
    route, get = OPERATIONS[name]
    media, content = next(iter(get["responses"]["200"]["content"].items()))
    answer = sample(content["schema"], whole) if media == "application/json" else b"PK or text"
    seen = []
    with validator.Client(transport=served(answer, media, seen=seen)) as api:
        told = getattr(api, name)(**words(get))
    if media == "application/json":
        assert plain(told) == plain(answer)
    else:
        assert told in ("PK or text", b"PK or text")
    path = seen[0].url.raw_path.decode().split("?")[0]
    assert path == route.format(**{one: "a%2Fb" for one in words(get)}), "an argument stays one part of the path"

    async def again():
        async with validator.AsyncClient(transport=served(answer, media)) as api:
            return await getattr(api, name)(**words(get))

    assert asyncio.run(again()) == told


def test_what_is_asked_for_is_sent_and_what_is_new_is_passed_over():
    seen = []
    answer = {**sample(SCHEMAS["MinerList"], True), "of_tomorrow": {"x": 1}}
    with validator.Client(token="secret", transport=served(answer, seen=seen)) as api:
        miners = api.miners(limit=3)
    assert isinstance(miners, validator.MinerList) and isinstance(miners.miners[0].hotkey, str)
    assert str(seen[0].url).endswith("/miners?limit=3") and seen[0].headers["authorization"] == "Bearer secret"
    with validator.Client(transport=served(b"alert_id,score\n", "text/csv", seen=seen)) as api:
        assert api.canonical_scores_as("latest", media="text/csv") == b"alert_id,score\n"
    assert seen[1].headers["accept"] == "text/csv"


def test_refusals_and_answers_that_are_none_are_errors_with_their_words():
    problem = {"detail": [{"loc": ["query", "limit"], "msg": "Input should be a whole number", "type": "x"}], "code": "invalid_request"}
    for answer, status, wanted in [
        ({"detail": "No round", "code": "not_found", "request_id": "r1"}, 404, ("404: No round", "not_found")),
        (problem, 422, ("422: query.limit: Input should be a whole number", "invalid_request")),
        ("nonsense", 500, ("500: ", None)),
    ]:
        with validator.Client(transport=served(answer, status=status)) as api, pytest.raises(validator.ApiError) as error:
            api.rounds()
        assert str(error.value).startswith(wanted[0]) and (error.value.status, error.value.code) == (status, wanted[1])
    whole = sample(SCHEMAS["RoundList"], True)
    for answer in ([], {}, {"rounds": {}}, {**whole, "rounds": [7]}, {**whole, "rounds": [{**whole["rounds"][0], "alerts": "many"}]}):
        with validator.Client(transport=served(answer)) as api, pytest.raises(validator.ApiError, match=r"cannot be read: \$"):
            api.rounds()

    def lost(request):
        raise httpx.ConnectError("nobody is there", request=request)

    with validator.Client(transport=httpx.MockTransport(lost)) as api, pytest.raises(validator.ApiError, match="no answer: nobody"):
        api.health()


def test_a_validator_that_is_not_ready_says_why():
    answer = {**sample(SCHEMAS["Ready"], True), "ready": False}
    with validator.Client(transport=served(answer, status=503)) as api:
        assert api.ready().ready is False
