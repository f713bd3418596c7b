"""Somebody who presses buttons."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.db.moving.conftest import feed_groups

__all__ = ["feed_groups"]


@pytest.fixture
def browser(grace: User, settings: Any) -> Client:
    settings.STREAM_FOLLOW_MODEL = "testapp.Subscription"
    client = Client()
    client.force_login(grace)
    return client
