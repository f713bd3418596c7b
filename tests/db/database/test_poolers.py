"""Whether a pooler hands out transactions is asked of the database; poolers themselves are in tests/scale."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections

from django_stream.database.poolers import check_pooler


def test_of_a_database_that_does_not_answer_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any
) -> None:
    pytest.importorskip("psycopg")
    nowhere: dict[str, Any] = {
        **connections.settings["default"],
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "nowhere",
        "HOST": "127.0.0.1",
        "PORT": "1",
        "OPTIONS": {"connect_timeout": 1},
    }
    monkeypatch.setitem(connections.settings, "nowhere", nowhere)
    with django_db_blocker.unblock():
        assert check_pooler(["nowhere"]) == []
    del connections["nowhere"]
