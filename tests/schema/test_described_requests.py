"""Requests made from the server's own description, with both kinds of token: none fails, and every answer is
what the description says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from django_stream.protocol.credentials import EMBEDDED_API_KEY
from django_stream.server.endpoints import ENDPOINTS
from django_stream.server.handlers import opengraph
from django_stream.server.openapi import examples
from django_stream.server.openapi.document import document
from tests.contract.calling import token, user_token
from tests.schema.conftest import count
from tests.schema.story import tell, with_address

pytestmark = [pytest.mark.schema, pytest.mark.django_db, pytest.mark.usefixtures("app_streams")]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
CONFIGURATION = {
    "generation": {
        "mode": "all",
        "max-examples": 20,
        "with-security-parameters": False,
        "deterministic": True,
    },
    "phases": {"coverage": {"unexpected-methods": []}, "stateful": {"enabled": False}},
}
# Free in the description, and one of few names on every server.
KNOWN = {
    "slug": ["user", "timeline", "timeline_aggregated", "notification"],
    "user_id": [examples.USER],
    "target": ["user:grace"],
    "item": [examples.ACTIVITY],
    "user": [examples.USER],
    "reaction": [examples.REACTION],
    "value": [examples.ACTIVITY, examples.REACTION, examples.USER],
    "collection": [examples.COLLECTION],
    "entry": [examples.ENTRY, "own"],
}
FOR_USERS = {
    endpoint.function.__doc__.splitlines()[0] for endpoint in ENDPOINTS if endpoint.users is not None
}

described = schemathesis.openapi.from_dict(document(), config=SchemathesisConfig.from_dict(CONFIGURATION))
# App Streams have an envelope of their own, and a contract test for each endpoint and error.
described = described.exclude(path_regex="^/(streams|filters)/")
described.app = get_wsgi_application()


@described.hook
def flatmap_path_parameters(context: Any, path_parameters: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Three of four requests name what is there."""
    known = {
        name: st.one_of(*[st.sampled_from(KNOWN[name])] * 3, st.just(value))
        if name in KNOWN
        else st.just(value)
        for name, value in (path_parameters or {}).items()
    }
    return st.fixed_dictionaries(known)


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """The test's transaction outlives its requests, at whose ends Django would close the connection."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def address(kept_connection: None, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The examples' story is told; the address of its picture."""
    settings.MEDIA_ROOT = tmp_path
    settings.STREAM_SERVER_RATE_LIMITS = dict.fromkeys({endpoint.family for endpoint in ENDPOINTS})
    # No page of others is fetched.
    monkeypatch.setattr(opengraph, "_fetched", lambda url: {"title": "A page", "original_url": url})
    return tell()


def ask(case: Any, address: str, kind: str, signed: str) -> None:
    """Send one request as if it were the first one, and look at its answer."""
    case.query, case.body = with_address(case.query, address), with_address(case.body, address)
    with transaction.atomic():
        headers = {"Authorization": signed, "Stream-Auth-Type": "jwt"}
        answer = case.call(headers=headers, params={"api_key": EMBEDDED_API_KEY})
        transaction.set_rollback(True)
    count(kind, answer)
    case.validate_response(answer, checks=CHECKS)
    told = json.loads(answer.content)
    assert told["duration"].endswith("ms")
    if answer.status_code >= 400:
        assert told["status_code"] == answer.status_code
        assert told["detail"]


quiet = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@described.parametrize()
@quiet
def test_by_the_application(case: Any, address: str) -> None:
    ask(case, address, "server", token())


@described.include(
    func=lambda context: context.operation.definition.raw["summary"] in FOR_USERS
).parametrize()
@quiet
def test_by_a_user(case: Any, address: str) -> None:
    ask(case, address, "user", user_token(examples.USER))
