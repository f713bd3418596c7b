"""No statement reads all that an application has, or all of a table, even where nobody has run ANALYZE.

SQLite chooses its plans by the statements alone. PostgreSQL chooses by the size of its tables, which are
empty here: `benchmarks/worst_requests.py` measures it with full ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection

from django_stream.server.conf import server_settings
from tests.contract.calling import Api
from tests.db.server.isolation.life import LIFE, App
from tests.db.server.plans import plans_of

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="plans of small tables say nothing"),
]

ALL_OF_APPLICATION = re.compile(r"\(application_id=\?\)")
SCANNED = re.compile(r"SCAN (\w+)")
# Rows that were given with the statement, or that a part of it has found.
FOUND = re.compile(r"(?:CO-ROUTINE|MATERIALIZE) (\w+)")
# Rows of a feed that are named one by one.
NAMED = re.compile(r'\("(feed|feed_id|source_id)", "\w+"\) IN')
ALL_OF_FEED = re.compile(r"\((feed|feed_id|source_id)=\?\)")


def reads_all(sql: str, steps: Sequence[str]) -> bool:
    scanned = {match[1] for step in steps if (match := SCANNED.match(step))}
    found = {match[1] for step in steps if (match := FOUND.match(step))}
    if NAMED.search(sql) and any(map(ALL_OF_FEED.search, steps)):
        return True
    return bool(scanned - found - {"json_each"}) or any(map(ALL_OF_APPLICATION.search, steps))


def test_every_statement_finds_its_rows_by_an_index(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    app = App("one", server_settings.own_app_id, Api())
    calls = [step for step in LIFE if step.act is None or step.path.startswith("upload")]
    unfound = {}
    for step in LIFE:
        plans = plans_of(lambda step=step: step.take(app))
        if step in calls:
            unfound |= {sql: (str(step), steps) for sql, steps in plans.items() if reads_all(sql, steps)}
    assert unfound == {}
