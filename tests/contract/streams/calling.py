"""Calls to App Streams as their consumers make them: over HTTP, with a bearer token."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from django_stream.protocol.credentials import EMBEDDED_API_KEY
from tests.contract.calling import token

APP_TOKEN = {"resource": "streams", "action": "*", "feed_id": "*"}
BODY = {"object_types": ["activity"], "type": "long_poll"}
Answer = tuple[int, Any]


def send(method: str, path: str, body: Any = None, *, auth: str | None = None, **headers: str) -> Any:
    """The response of one call below `api/v1.0/`; `auth` is the whole header, by default an app token."""
    given = f"Bearer {token(APP_TOKEN)}" if auth is None else auth
    joint = "&" if "?" in path else "?"
    address = f"/api/v1.0/{path}{joint}api_key={EMBEDDED_API_KEY}"
    content = "" if body is None else body if isinstance(body, str) else json.dumps(body)
    sent = {"HTTP_AUTHORIZATION": given} if given else {}
    return Client().generic(
        method, address, content, headers.pop("type", "application/json"), **sent, **headers
    )


def call(method: str, path: str, body: Any = None, **more: str) -> Answer:
    """Status and body; the status stands in `meta` too."""
    response = send(method, path, body, **more)
    answer = response.json()
    assert answer["meta"]["code"] == response.status_code, answer
    return response.status_code, answer


def ok(method: str, path: str, body: Any = None) -> Any:
    """The data of a call that must succeed."""
    status, answer = call(method, path, body)
    assert status == 200, answer
    return answer["data"]


def refused(method: str, path: str, body: Any = None, **more: str) -> tuple[int, str]:
    """Status and slug of a call that must be refused."""
    status, answer = call(method, path, body, **more)
    assert status >= 400, answer
    assert set(answer) == {"meta"}
    assert answer["meta"]["error_message"]
    return status, answer["meta"]["error_slug"]


def message(method: str, path: str, body: Any = None) -> str:
    """What a refusal tells people."""
    return str(call(method, path, body)[1]["meta"]["error_message"])


def made(**fields: Any) -> Any:
    """A new stream."""
    return ok("POST", "streams", {**BODY, **fields})


def clause(field: str, operator: str, value: Any, object_type: str = "activity") -> dict[str, Any]:
    return {"object_type": object_type, "field": field, "operator": operator, "value": value}


def made_filter(*clauses: dict[str, Any], match_policy: str = "include_any") -> Any:
    """A new filter; by default of activities with the verb `post`."""
    given = list(clauses) or [clause("/data/verb", "equals", "post")]
    return ok("POST", "filters", {"name": "n", "match_policy": match_policy, "clauses": given})
