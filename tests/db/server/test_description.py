"""The examples of the description work on what they tell of; its schemas are those of the code."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from django_stream.protocol import wire
from django_stream.protocol.messages import ApiResponse
from django_stream.server.endpoints import ENDPOINTS
from django_stream.server.handlers import opengraph
from django_stream.server.openapi import examples
from django_stream.server.openapi.answers import ANSWERS
from django_stream.server.openapi.document import document
from django_stream.server.openapi.object_bodies import UPLOADS
from django_stream.server.openapi.wire_schemas import components, schema_of
from django_stream.server.streams.refusals import is_about_streams
from tests.contract.calling import SUCCESS, Api
from tests.extras import needs

ROWS = {(endpoint.method, endpoint.pattern) for endpoint in ENDPOINTS}
OPERATIONS = [
    (method.upper(), path, operation)
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
    if path.strip("/") not in UPLOADS or method == "delete"
]


def named(operation: dict[str, Any], place: str) -> dict[str, str]:
    """The example's parameters in the path or the query."""
    found = (one for one in operation["parameters"] if one["in"] == place)
    return {one["name"]: one["example"] for one in found if "example" in one}


@needs("images")
@pytest.mark.django_db
def test_every_example_works(app_streams: None, settings: Any, tmp_path: Any, monkeypatch: Any) -> None:
    from tests.schema.story import tell

    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(opengraph, "_fetched", lambda url: {"title": "A page", "original_url": url})
    address, refused = tell(), {}
    for method, path, operation in OPERATIONS:
        with transaction.atomic():
            if path.endswith("/restore/"):
                Api().ok("DELETE", f"reaction/{examples.REACTION}/", soft="true")
            answer = by_example(method, path, operation, address)
            transaction.set_rollback(True)
        if answer.status != (200 if is_about_streams(path) else SUCCESS[method]):
            refused[method, path] = answer.body
    assert refused == {}


def by_example(method: str, path: str, operation: dict[str, Any], address: str) -> ApiResponse:
    """The answer to what the description gives as an example."""
    from tests.schema.story import with_address

    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    query = with_address(named(operation, "query"), address)
    size = {"w": 4} if path == "/images/" and method == "GET" else {}
    told = with_address(body, address)
    return Api().call(method, path.format(**named(operation, "path")), told, **query, **size)


def test_examples_and_answers_belong_to_endpoints() -> None:
    plain = {(method, pattern.removeprefix("enrich/")) for method, pattern in ANSWERS}
    assert plain | set(examples.BODIES) | set(examples.QUERIES_OF) <= ROWS


def test_every_body_has_an_example() -> None:
    without = {("PUT", "reaction/{reaction}/restore"), *(("POST", path) for path in UPLOADS)}
    assert {row for row in ROWS if row[0] in ("POST", "PUT")} - set(examples.BODIES) == without


def test_every_reading_endpoint_tells_what_it_answers() -> None:
    assert {row for row in ROWS if row[0] == "GET"} <= set(ANSWERS)


def test_objects_are_described_as_they_are_typed() -> None:
    described = components()
    assert described["User"]["required"] == ["created_at", "updated_at", "id", "data"]
    assert described["User"]["properties"]["created_at"] == {"type": "string"}
    assert "required" not in described["ActivityReactions"]
    assert described["MissingObject"]["properties"]["error"] == {"enum": ["ReferenceNotFound"]}
    assert described["Reaction"]["properties"]["latest_children"] == {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {"$ref": "#/components/schemas/Reaction"}},
    }
    assert schema_of(wire.Activity) == {"$ref": "#/components/schemas/Activity"}
    origin = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert described["Activity"]["properties"]["origin"] == origin
