"""What is done after a commit cannot fail it."""

from __future__ import annotations

import logging

import pytest
from django.contrib.auth.models import Group
from django.db import transaction

from django_stream.database.commits import call_after_commit

pytestmark = pytest.mark.django_db(transaction=True)


def fail(reason: str) -> None:
    raise RuntimeError(reason)


def test_a_failure_after_the_commit_is_logged_under_its_name(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []
    with caplog.at_level(logging.ERROR, "django.db.backends.base"), transaction.atomic():
        Group.objects.create(name="kept")
        call_after_commit("default", fail, "too late")
        call_after_commit("default", done.append, "the next one")

    assert Group.objects.filter(name="kept").exists()
    assert done == ["the next one"]
    assert "fail" in caplog.text
    assert "too late" in caplog.text


def test_nothing_is_called_after_a_rollback() -> None:
    done: list[str] = []
    with pytest.raises(RuntimeError), transaction.atomic():
        call_after_commit("default", done.append, "never")
        raise RuntimeError

    assert done == []
