"""Without statistics, as on a site's first day, no statement on PostgreSQL reads all of a large table.

What it takes for the number of rows are guesses, so each table gets many: of the application that asks, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models

from django_stream.server.conf import server_settings
from tests.contract.calling import Api
from tests.db.server.isolation.life import LIFE, App
from tests.db.server.plans import asked_by, fill, plan

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite needs no full tables for its plans"),
]

FEW = {
    *("application", "apikey", "appstream", "feedlistening"),
    *("streamfilter", "streamlog", "streamreaders", "streamwebhook"),
}
"""Tables that stay small: an application has a few of these."""
# What reads no more below a limit than the limit asks for.
PASSES = {"Limit", "Result", "Subquery Scan", "LockRows", "Nested Loop", "Append", "Merge Append"}


def large_models() -> list[type[models.Model]]:
    found = apps.get_app_config("django_stream_server").get_models()
    return [model for model in found if model._meta.model_name not in FEW]


@pytest.fixture
def app(settings: Any, tmp_path: Any) -> App:
    settings.MEDIA_ROOT = tmp_path
    app = App("one", server_settings.own_app_id, Api())
    Api().ok("POST", "feed/user/first/", {"actor": "a", "verb": "v", "object": "o"})
    for model in large_models():
        fill(model, application_id=str(app.number))
    return app


def read_whole(part: dict[str, Any], *, limited: bool = False) -> Iterator[str]:
    """The large tables of which a part of a plan reads all rows, or all of an application."""
    kind, table = part["Node Type"], part.get("Relation Name", "")
    condition = part.get("Index Cond", "")
    limited = limited or kind == "Limit"
    if kind == "Seq Scan" and table in LARGE:
        yield table
    is_large = table in LARGE or kind == "Bitmap Index Scan"
    names_nothing_else = all("application_id" in one for one in condition.split(" AND "))
    if "Index" in kind and is_large and names_nothing_else and not limited:
        yield f"{part.get('Index Name')}: {condition}"
    for below in part.get("Plans", ()):
        yield from read_whole(below, limited=limited and kind in PASSES)


LARGE = {model._meta.db_table for model in large_models()}


@pytest.mark.parametrize("followers", ["are brought it", "find it"])
@pytest.mark.parametrize("analyzed", [False, True])
def test_every_statement_finds_its_rows_by_an_index(
    followers: str, analyzed: bool, app: App, settings: Any
) -> None:
    if followers == "find it":
        settings.STREAM_SERVER_PUSH_FOLLOWERS_MAX = 0
    if analyzed:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    unfound: dict[str, Any] = {}
    for step in LIFE:
        asked = asked_by(lambda step=step: step.take(app), "INSERT")
        if step.act is None or step.path.startswith("upload"):
            whole = {sql: [*read_whole(plan(sql, params))] for sql, params in asked.items()}
            unfound |= {sql: (str(step), tables) for sql, tables in whole.items() if tables}
    assert unfound == {}
