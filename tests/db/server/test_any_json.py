"""What is accepted is told by every door as it was sent; what is not is refused with its field."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.any_json import configuration
from tests.any_json.doors import Answer, Doors
from tests.any_json.properties import PROPERTIES
from tests.contract.calling import Api
from tests.extras import needs

pytestmark = [pytest.mark.django_db, pytest.mark.urls(configuration.URLS), needs("aggregation")]


@pytest.fixture
def doors(settings: Any) -> Doors:
    settings.STREAM_SERVER_FEED_GROUPS = configuration.FEED_GROUPS
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [configuration.TEMPLATES]}]
    user = User.objects.create(username="ada", is_superuser=True, is_staff=True)
    browser = Client()
    browser.force_login(user)

    def http(method: str, address: str, body: bytes, headers: dict[str, str]) -> Answer:
        kind = headers.get("Content-Type", "")
        answer = browser.generic(method, address, body, content_type=kind, headers=headers)
        return Answer(answer.status_code, answer["Content-Type"], answer.content)

    doors = Doors(Api(), http, str(user.pk))
    doors.prepare()
    return doors


@pytest.mark.parametrize("name", PROPERTIES)
def test_any_json(doors: Doors, name: str) -> None:
    PROPERTIES[name](doors)
