"""Somebody who is told of what others do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from django_stream.tracking import drain
from tests.db.feeds.conftest import people
from tests.testapp.models import Article, Moment, Praise

__all__ = ["people"]

Tell = Callable[..., Moment]

DAY = timedelta(days=1)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)  # a Monday


@pytest.fixture
def tell(ada: User, grace: User) -> Tell:
    """Ada says something of which grace is told, in a group of its own."""

    def told(text: str = "x", author: User = ada, **values: Any) -> Moment:
        moment = Moment.objects.create(author=author, text=text, **values)
        moment.mentioned.add(grace)
        drain()
        return moment

    return told


@pytest.fixture
def praise(ada: User, grace: User) -> Callable[..., Praise]:
    """Somebody praises what grace has said; one group tells her of all of a day."""
    said = Moment.objects.create(author=grace, text="mine")

    def praised(by: User = ada, **values: Any) -> Praise:
        row = Praise.objects.create(by=by, moment=said, **values)
        drain()
        return row

    return praised


@pytest.fixture
def articles(ada: User, grace: User) -> Callable[[int], None]:
    """So many notifications, each in a group of its own day."""

    def made(number: int) -> None:
        for day in range(number):
            Article.objects.create(
                author=ada, title=str(day), published_at=NOON - 60 * DAY + day * DAY
            ).mentioned.add(grace)
        drain()

    return made
