"""Every endpoint, called with every kind of token: the row says who gets in."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from django_stream.protocol import scopes
from django_stream.server.endpoints import ENDPOINTS
from tests.contract.calling import Api, call, ok, token, user_token
from tests.db.server.endpoint_access import ANYONE, OWNERS, ROWS, Row, store_the_things_of_ann

pytestmark = pytest.mark.django_db
every_row = pytest.mark.parametrize("row", ROWS, ids=str)


def is_denied(row: Row, auth: str, *, names: dict[str, str] | None = None, prefix: str = "") -> bool:
    """Whether the request of this row is refused because of its token."""
    query = {name: filled(text, names) for name, text in row.query.items()}
    answer = call(row.method, prefix + row.path, filled(row.body, names), auth=auth, **query)
    if "meta" in answer.body:
        return answer.body["meta"]["code"] == answer.status == 403
    return (answer.status, answer.body.get("code")) == (403, 17)


def filled(value: Any, names: dict[str, str] | None) -> Any:
    if isinstance(value, dict):
        return {name: filled(one, names) for name, one in value.items()}
    return value.format_map(names) if names and isinstance(value, str) else value


def claims(row: Row, **others: str) -> str:
    exact = {"resource": row.resource, "action": row.action, "feed_id": row.feed if row.has_feed else "*"}
    return token(exact | others)


def all_but(words: frozenset[str], word: str) -> str:
    return ",".join(sorted(words - {word}))


def test_every_endpoint_has_its_row():
    assert Counter((row.method, row.pattern) for row in ROWS) == Counter(
        (endpoint.method, endpoint.pattern) for endpoint in ENDPOINTS
    )


@every_row
def test_a_server_token_opens_what_it_names(row):
    assert not is_denied(row, claims(row))


@every_row
def test_a_server_token_opens_nothing_else(row):
    misses = {
        "resource": claims(row, resource=all_but(scopes.RESOURCES, row.resource)),
        "action": claims(row, action=all_but(scopes.ACTIONS, row.action)),
        # Without a feed in the path, a token of some feeds opens nothing.
        "feed": claims(row, feed_id=row.feed.replace("ann", "bob") if row.has_feed else row.feed),
    }
    assert {name: is_denied(row, auth) for name, auth in misses.items()} == dict.fromkeys(misses, True)


@every_row
def test_user_tokens_open_what_the_row_says(row):
    names = store_the_things_of_ann()
    before = things_of_ann()
    # The stranger first: a refused deletion leaves the owner something to delete.
    stranger = is_denied(row, user_token("bob"), names=names)
    assert not stranger or things_of_ann() == before
    owner = is_denied(row, user_token("ann"), names=names)
    assert (owner, stranger) == {ANYONE: (False, False), OWNERS: (False, True)}.get(row.users, (True, True))


def test_enriched_reads_ask_for_the_same_as_plain_ones():
    (row,) = (row for row in ROWS if str(row) == "GET feed/{feed}")
    assert not is_denied(row, claims(row), prefix="enrich/")
    assert not is_denied(row, user_token("ann"), prefix="enrich/")
    assert is_denied(row, user_token("bob"), prefix="enrich/")
    assert is_denied(row, claims(row, feed_id="timeline:bob"), prefix="enrich/")
    assert is_denied(row, claims(row, resource="activities"), prefix="enrich/")


def things_of_ann() -> list[Any]:
    """All that ann has, as her application's server reads it."""
    paths = [
        "feed/user/ann/",
        "feed/user/ann/follows/",
        "reaction/user_id/ann/",
        "user/ann/",
        "collections/food/e1/",
    ]
    return [Api().ok("GET", path) for path in paths] + [ok("GET", "audit_logs/", user_id="ann")]
