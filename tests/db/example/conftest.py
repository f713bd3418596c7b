"""The example's settings, and Ada's browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.example_site import example_settings


@pytest.fixture(autouse=True)
def _example(settings: Any) -> Iterator[None]:
    with example_settings(settings):
        yield


@pytest.fixture
def site(client: Client, ada: User) -> Client:
    """A browser in which Ada is signed in."""
    client.force_login(ada)
    return client


def html_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def write(author: User, count: int, text: str = "number {}") -> list[Any]:
    from example_project.social.models import Post

    return [Post.objects.create(author=author, text=text.format(number)) for number in range(count)]
