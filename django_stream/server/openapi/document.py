"""The whole description, from the rows of the endpoint table."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from django_stream.server.endpoints import ENDPOINTS
from django_stream.server.openapi.bodies import BODIES, QUERIES
from django_stream.server.openapi.object_bodies import OBJECT_BODIES, OBJECT_QUERIES, UPLOAD, UPLOADS
from django_stream.server.openapi.objects import COMPONENTS, FREE, Schema, ref
from django_stream.server.requests import API_PATH, Endpoint

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
            "schemas": COMPONENTS,
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
            str(endpoint.status): _json("The answer", FREE),
            "default": _json("A refusal", ref("Error")),
        },
    }
    if endpoint.method == "POST" and endpoint.pattern in UPLOADS:
        operation["requestBody"] = {"content": {"multipart/form-data": {"schema": UPLOAD}}}
    elif endpoint.method in ("POST", "PUT"):
        body = (BODIES | OBJECT_BODIES).get((endpoint.method, endpoint.pattern), FREE)
        operation["requestBody"] = {"content": {"application/json": {"schema": body}}}
    return operation


def _parameters(endpoint: Endpoint, path: str) -> list[dict[str, Any]]:
    named = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PLACEHOLDER.findall(path)
    ]
    query = (QUERIES | OBJECT_QUERIES).get((endpoint.method, endpoint.pattern), {})
    return [*named, *({"name": name, "in": "query", "schema": schema} for name, schema in query.items())]


def _json(description: str, schema: Schema) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
