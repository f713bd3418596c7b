"""The whole description, from the rows of the endpoint table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from django_stream.server.endpoints import ENDPOINTS
from django_stream.server.openapi import examples
from django_stream.server.openapi.answers import ANSWERS
from django_stream.server.openapi.bodies import BODIES, PATH, QUERIES
from django_stream.server.openapi.object_bodies import OBJECT_BODIES, OBJECT_QUERIES, UPLOAD, UPLOADS
from django_stream.server.openapi.objects import COMPONENTS, FREE, TEXT, Schema, fields, ref
from django_stream.server.openapi.stream_bodies import STREAM_BODIES, STREAM_QUERIES
from django_stream.server.openapi.wire_schemas import components
from django_stream.server.requests import API_PATH, Endpoint
from django_stream.server.streams.refusals import is_about_streams

_PLACEHOLDER = re.compile(r"\{(\w+)(?:\.\.\.)?\}")


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1, with paths relative to the address of the API."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        for prefix in ("", "enrich/") if endpoint.enrichable else ("",):
            path = f"/{prefix}{_path(endpoint)}/"
            paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, prefix)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Activity feeds",
            "version": "1.0",
            "description": "A self-hosted server of the Stream feeds API v1.0.",
        },
        "servers": [{"url": API_PATH.rstrip("/")}],
        "security": [{"api_key": [], "token": []}],
        "paths": paths,
        "components": {
            "schemas": {**components(), **COMPONENTS},
            "securitySchemes": {
                "api_key": {"type": "apiKey", "in": "query", "name": "api_key"},
                "token": {"type": "apiKey", "in": "header", "name": "Authorization"},
            },
        },
    }


def _path(endpoint: Endpoint) -> str:
    return _PLACEHOLDER.sub(r"{\1}", endpoint.pattern.replace("{feed}", "{slug}/{user_id}"))


def _operation(endpoint: Endpoint, prefix: str) -> dict[str, Any]:
    path = _path(endpoint)
    words = re.sub(r"\W+", "_", f"{endpoint.method.lower()}_{prefix}{path}").strip("_")
    who = "server tokens" if endpoint.users is None else "server and user tokens"
    operation: dict[str, Any] = {
        "operationId": words,
        "tags": [endpoint.resource],
        "summary": (endpoint.function.__doc__ or words.replace("_", " ")).strip().splitlines()[0],
        "description": f"For {who}; resource `{endpoint.resource}`, action `{endpoint.action}`.",
        "parameters": _parameters(endpoint, path),
        "responses": {
            str(endpoint.status): _json("The answer", _answer(endpoint, prefix)),
            "default": _json("A refusal", _refusal(endpoint)),
        },
    }
    if endpoint.method == "POST" and endpoint.pattern in UPLOADS:
        operation["requestBody"] = {"content": {"multipart/form-data": {"schema": UPLOAD}}}
    elif endpoint.method in ("POST", "PUT"):
        body = (BODIES | OBJECT_BODIES | STREAM_BODIES).get((endpoint.method, endpoint.pattern), FREE)
        content = {"schema": body}
        if (row := (endpoint.method, endpoint.pattern)) in examples.BODIES:
            content["example"] = examples.BODIES[row]
        operation["requestBody"] = {"content": {"application/json": content}}
    return operation


def _refusal(endpoint: Endpoint) -> Schema:
    return fields(("meta",), meta=FREE) if is_about_streams(endpoint.pattern) else ref("ErrorEnvelope")


def _answer(endpoint: Endpoint, prefix: str) -> Schema:
    """What is answered, and how long that took."""
    told = ANSWERS.get((endpoint.method, prefix + endpoint.pattern), FREE)
    return {"allOf": [told, fields(("duration",), duration=TEXT)]}


def _parameters(endpoint: Endpoint, path: str) -> list[dict[str, Any]]:
    row = (endpoint.method, endpoint.pattern)
    known = examples.QUERIES | examples.QUERIES_OF.get(row, {})
    query = (QUERIES | OBJECT_QUERIES | STREAM_QUERIES).get(row, {})
    return [
        *(
            _parameter(name, PATH.get(name, TEXT), examples.PATH) | {"in": "path", "required": True}
            for name in _PLACEHOLDER.findall(path)
        ),
        *(_parameter(name, schema, known) | {"in": "query"} for name, schema in query.items()),
    ]


def _parameter(name: str, schema: Schema, known: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "schema": schema} | ({"example": known[name]} if name in known else {})


def _json(description: str, schema: Schema) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
