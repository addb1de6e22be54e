#!/usr/bin/env python3
"""Makes the Python module `aml_miner.validator` of the validator's OpenAPI document.

    scripts/validator_client.py            writes crates/aml-miner/python/aml_miner/validator.py
    scripts/validator_client.py --check    says whether it is what the document gives

The document is crates/aml-subnet/openapi.json; a test compares it with what the validator serves. Nothing but the standard library is
needed. Pages for people are left out. A form of schema that is not known here ends it: nothing is guessed.
"""
import argparse
import json
import keyword
import pathlib
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "crates/aml-subnet/openapi.json"
MODULE = ROOT / "crates/aml-miner/python/aml_miner/validator.py"
SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "object": "dict[str, Any]"}

HEAD = '''"""The read API of a validator, with typed answers: ``Client`` and ``AsyncClient``. Needs ``pip install 'aml-miner[client]'``.

Made by ``scripts/validator_client.py`` of the validator's OpenAPI document; not to be changed by hand.

>>> from aml_miner.validator import Client
>>> with Client("http://localhost:8100") as api:
...     day = api.canonical_scores("latest", limit=20)
...     day[0].alert_id, day[0].score, day[0].reason_codes
...     api.miners().miners[0].hotkey
"""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass, fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import quote

try:
    import httpx
except ImportError as error:  # pragma: no cover
    raise ImportError("the client needs httpx: pip install 'aml-miner[client]'") from error

from .client import ApiError

'''

TAIL = '''

_HINTS: dict[type, dict[str, Any]] = {}


def _hints(kind: type) -> dict[str, Any]:
    if kind not in _HINTS:
        _HINTS[kind] = get_type_hints(kind, vars(sys.modules[__name__]))
    return _HINTS[kind]


def _plain(name: str) -> str:
    return name[:-1] if name.endswith("_") else name


def _read(kind: Any, told: Any, at: str) -> Any:
    """``told`` as ``kind``. Keys that are not known are passed over: a newer validator may say more."""
    origin = get_origin(kind)
    if kind is Any:
        return told
    if origin in (Union, types.UnionType):
        if told is None:
            return None
        return _read(next(one for one in get_args(kind) if one is not type(None)), told, at)
    if origin is list:
        if not isinstance(told, list):
            raise ValueError(f"{at}: a list is wanted, {told!r:.60} was given")
        return [_read(get_args(kind)[0], one, f"{at}[{place}]") for place, one in enumerate(told)]
    if origin is dict or kind is dict:
        if not isinstance(told, dict):
            raise ValueError(f"{at}: an object is wanted, {told!r:.60} was given")
        inner = get_args(kind)[1] if origin is dict else Any
        return {name: _read(inner, one, f"{at}.{name}") for name, one in told.items()}
    if origin is Literal:
        # A newer validator may know more words.
        kind = str
    if hasattr(kind, "__dataclass_fields__"):
        if not isinstance(told, dict):
            raise ValueError(f"{at}: an object is wanted, {told!r:.60} was given")
        hints, values = _hints(kind), {}
        for field in fields(kind):
            name = _plain(field.name)
            if name in told:
                values[field.name] = _read(hints[field.name], told[name], f"{at}.{name}")
        try:
            return kind(**values)
        except TypeError as error:
            raise ValueError(f"{at}: {error}") from error
    if kind is float and isinstance(told, int) and not isinstance(told, bool):
        return float(told)
    if type(told) is not kind:
        raise ValueError(f"{at}: {kind.__name__} is wanted, {told!r:.60} was given")
    return told


def _refusal(response: httpx.Response) -> ApiError:
    try:
        told = response.json()
        detail, code, request_id = told["detail"], told.get("code"), told.get("request_id")
    except (ValueError, KeyError, TypeError, AttributeError):
        detail, code, request_id = response.text[:200], None, None
    if isinstance(detail, list):
        text = "; ".join(f"{'.'.join(str(step) for step in one.get('loc', []))}: {one.get('msg')}" for one in detail if isinstance(one, dict))
    else:
        text = str(detail)
    request_id = request_id or response.headers.get("x-request-id")
    return ApiError(f"{response.status_code}: {text}", status=response.status_code, code=code, detail=detail, request_id=request_id)


def _typed(kind: Any, response: httpx.Response, also: tuple[int, ...] = ()) -> Any:
    if response.status_code != 200 and response.status_code not in also:
        raise _refusal(response)
    try:
        return _read(kind, response.json(), "$")
    except ValueError as error:
        raise ApiError(f"the answer cannot be read: {error}", status=response.status_code) from error


def _text(response: httpx.Response) -> str:
    if response.status_code != 200:
        raise _refusal(response)
    return response.text


def _bytes(response: httpx.Response) -> bytes:
    if response.status_code != 200:
        raise _refusal(response)
    return response.content


def _query(**given: Any) -> dict[str, str]:
    return {name: str(value) for name, value in given.items() if value is not None}


def _settings(url: str, timeout: float, token: str | None, transport: Any) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return {"base_url": url, "timeout": timeout, "headers": headers, "transport": transport}


def _lost(error: httpx.HTTPError) -> ApiError:
    return ApiError(f"no answer: {str(error) or type(error).__name__}")


class Client:
    """A client of the validator's read API. ``token`` is what ``validator.readers`` wants, where it wants one; ``timeout`` is seconds."""

    def __init__(self, url: str = "http://localhost:8100", *, timeout: float = 60.0, token: str | None = None, transport: httpx.BaseTransport | None = None):
        self._http = httpx.Client(**_settings(url, timeout, token, transport))
{sync}
    def close(self) -> None:
        """Ends its connections."""
        self._http.close()

    def _get(self, path: str, query: dict[str, str], accept: str) -> httpx.Response:
        try:
            return self._http.get(path, params=query, headers={{"accept": accept}})
        except httpx.HTTPError as error:
            raise _lost(error) from error

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient:
    """As :class:`Client`, for ``asyncio``."""

    def __init__(self, url: str = "http://localhost:8100", *, timeout: float = 60.0, token: str | None = None, transport: httpx.AsyncBaseTransport | None = None):
        self._http = httpx.AsyncClient(**_settings(url, timeout, token, transport))
{asynchronous}
    async def close(self) -> None:
        """Ends its connections."""
        await self._http.aclose()

    async def _get(self, path: str, query: dict[str, str], accept: str) -> httpx.Response:
        try:
            return await self._http.get(path, params=query, headers={{"accept": accept}})
        except httpx.HTTPError as error:
            raise _lost(error) from error

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
'''


def unknown(what, schema):
    sys.exit(f"validator_client: {what} has a form that is not known here: {json.dumps(schema)[:200]}")


def named(reference):
    return reference.rsplit("/", 1)[1]


def attribute(name):
    """A name that Python takes."""
    if not name.isidentifier():
        unknown("a name", name)
    return f"{name}_" if keyword.iskeyword(name) else name


def kind(schema, where):
    """The Python type of a schema."""
    if "$ref" in schema:
        return named(schema["$ref"])
    if "oneOf" in schema:
        others = [one for one in schema["oneOf"] if one.get("type") != "null"]
        if len(others) != 1 or len(others) == len(schema["oneOf"]):
            unknown(where, schema)
        return f"{kind(others[0], where)} | None"
    of = schema.get("type")
    if isinstance(of, list):
        if len(of) != 2 or "null" not in of:
            unknown(where, schema)
        other = next(one for one in of if one != "null")
        return f"{kind({**schema, 'type': other}, where)} | None"
    if "enum" in schema:
        return "Literal[" + ", ".join(json.dumps(word) for word in schema["enum"]) + "]"
    if of == "array":
        return f"list[{kind(schema['items'], where)}]"
    if of == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"dict[str, {kind(schema['additionalProperties'], where)}]"
    if of is None and not set(schema) - {"description", "example", "title"}:
        return "Any"
    if of not in SIMPLE:
        unknown(where, schema)
    return SIMPLE[of]


def said(text, indent, width=140):
    """A docstring or comment's text in lines."""
    text = " ".join(text.split())
    return textwrap.wrap(text, width - indent) or [""]


def parts(schema, schemas):
    """Properties and required names, those of `allOf` together."""
    properties, required = {}, set()
    for one in schema.get("allOf", [schema]):
        if "$ref" in one:
            inner = parts(schemas[named(one["$ref"])], schemas)
            properties |= inner[0]
            required |= inner[1]
        else:
            properties |= one.get("properties", {})
            required |= set(one.get("required", []))
    return properties, required


def data_class(name, schema, schemas):
    if "enum" in schema:
        lines = [f"#: {line}" for line in said(schema.get("description", ""), 3)]
        return "\n".join([*lines, f"{name} = {kind(schema, name)}"])
    properties, required = parts(schema, schemas)
    lines = ["@dataclass(frozen=True)", f"class {name}:", *docstring(schema.get("description", name), 4)]
    for wanted in (True, False):
        for field, about in properties.items():
            if (field in required) != wanted:
                continue
            told = about.get("description") or next((one["description"] for one in about.get("oneOf", []) if "description" in one), "")
            lines += [f"    #: {line}" for line in said(told, 7)] if told else []
            of = kind(about, f"{name}.{field}")
            if not wanted and not of.endswith(" | None") and of != "Any":
                of += " | None"
            lines.append(f"    {attribute(field)}: {of}" + ("" if wanted else " = None"))
    return "\n".join(lines)


def docstring(text, indent):
    lines = said(text.replace("\\", "\\\\").replace('"""', "'''"), indent + 6)
    space = " " * indent
    if len(lines) == 1:
        return [f'{space}"""{lines[0]}"""']
    return [f'{space}"""{lines[0]}', *[f"{space}{line}" for line in lines[1:]], f'{space}"""']


def methods(route, get):
    """The methods of an operation: name, signature, path, query, how the answer is read, what is said."""
    name = get["operationId"]
    in_path = [one for one in get.get("parameters", []) if one["in"] == "path"]
    in_query = [one for one in get.get("parameters", []) if one["in"] == "query" and one["name"] != "format"]
    if any(one["in"] not in ("path", "query") for one in get.get("parameters", [])):
        unknown(route, get["parameters"])
    contents = get["responses"]["200"]["content"]
    path = route
    for one in in_path:
        path = path.replace("{" + one["name"] + "}", "{quote(" + attribute(one["name"]) + ", safe='')}")
    positional = [f"{attribute(one['name'])}: {kind(one['schema'], route)}" for one in in_path]
    named_ones = [f"{attribute(one['name'])}: {kind(one['schema'], route)} | None = None" for one in in_query]
    about = [get.get("summary", name) + "."]
    about += [get["description"]] if get.get("description") else []
    about += [f"``{attribute(one['name'])}``: {one.get('description', '')}." for one in in_path + in_query]
    base = {"path": path, "positional": positional, "query": [one["name"] for one in in_query], "about": " ".join(about)}
    made = []
    if "application/json" in contents:
        schema = contents["application/json"]["schema"]
        of = kind(schema, route)
        also = [int(code) for code, one in get["responses"].items() if code not in ("200", "304") and code.isdigit()
                and one.get("content", {}).get("application/json", {}).get("schema") == schema and "$ref" in schema]
        read = f"_typed({of}, {{}}" + (f", ({', '.join(map(str, also))},)" if also else "") + ")"
        made.append({**base, "name": name, "named": named_ones, "returns": of, "read": read, "accept": "application/json"})
    others = [media for media in contents if media != "application/json"]
    if "application/json" not in contents and len(others) == 1:
        text = others[0].startswith("text/")
        made.append({**base, "name": name, "named": named_ones, "returns": "str" if text else "bytes",
                     "read": ("_text" if text else "_bytes") + "({})", "accept": others[0]})
    elif others:
        forms = ", ".join(json.dumps(media) for media in contents)
        made.append({**base, "name": f"{name}_as", "named": [f"media: Literal[{forms}]", *named_ones], "returns": "bytes",
                     "read": "_bytes({})", "accept": None, "about": "The bytes of another form. " + base["about"]})
    return made


def method(one, asynchronous):
    begin, wait = ("async def", "await ") if asynchronous else ("def", "")
    words = ", ".join(["self", *one["positional"], *(["*", *one["named"]] if one["named"] else [])])
    query = "_query(" + ", ".join(f"{name}={attribute(name)}" for name in one["query"]) + ")"
    accept = "media" if one["accept"] is None else json.dumps(one["accept"])
    text = "f" if "{" in one["path"] else ""
    answer = f'{wait}self._get({text}"{one["path"]}", {query}, {accept})'
    lines = [f"    {begin} {one['name']}({words}) -> {one['returns']}:", *docstring(one["about"], 8), f"        return {one['read'].format(answer)}", ""]
    return "\n".join(lines)


def module(document):
    schemas = document["components"]["schemas"]
    operations = []
    for route, item in document["paths"].items():
        get = item["get"]
        if set(item) - {"get"}:
            unknown(route, list(item))
        if "pages" not in get["tags"] and route != "/openapi.json":
            operations += methods(route, get)
    words = [name for name, schema in schemas.items() if "enum" in schema]
    order = words + [name for name in schemas if name not in words]
    exported = sorted(["ApiError", "AsyncClient", "Client", *schemas])
    names = "__all__ = [\n" + "".join(f'    "{name}",\n' for name in exported) + "]\n\n"
    classes = "\n\n\n".join(data_class(name, schemas[name], schemas) for name in order)
    body = {mode: "\n" + "\n".join(method(one, mode == "asynchronous") for one in operations) for mode in ("sync", "asynchronous")}
    tail = TAIL
    for mode, text in body.items():
        tail = tail.replace("{" + mode + "}", text.replace("{", "{{").replace("}", "}}"))
    return HEAD + names + classes + tail.replace("{{", "{").replace("}}", "}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--document", type=pathlib.Path, default=DOCUMENT)
    parser.add_argument("--output", type=pathlib.Path, default=MODULE)
    options = parser.parse_args()
    text = module(json.loads(options.document.read_text()))
    if options.check:
        if not options.output.is_file() or options.output.read_text() != text:
            sys.exit(f"{options.output} is not what {options.document} gives: run scripts/validator_client.py")
        print("validator_client: the module is what the document gives")
        return
    options.output.write_text(text)


if __name__ == "__main__":
    main()
