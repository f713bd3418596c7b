"""What rows say of themselves is stored in the language and the time zone of the site, whoever drains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.utils import timezone, translation
from django.utils.translation import gettext

from django_stream.testing import captured_activities
from django_stream.tracking import drain
from tests.testapp.models import Photo

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("site", ["en", "nl"])
@pytest.mark.parametrize("visitor", ["de", "fr"])
def test_rows_speak_the_language_of_the_site(
    site: str,
    visitor: str,
    ada: User,
    feed_of: Callable[..., list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    settings.LANGUAGE_CODE = site

    def told(row: Photo) -> dict[str, Any]:
        return {"label": gettext("Yes"), "zone": timezone.get_current_timezone_name()}

    monkeypatch.setattr(Photo, "extra_activity_data", property(told))
    with translation.override(visitor), timezone.override(ZoneInfo("Asia/Tokyo")):
        with captured_activities() as captured:
            Photo.objects.create(owner=ada)
        drain()
        assert translation.get_language() == visitor

    (activity,) = feed_of("user", ada)
    expected = {"label": {"en": "Yes", "nl": "Ja"}[site], "zone": timezone.get_default_timezone_name()}
    assert {name: activity[name] for name in expected} == expected
    assert captured[0].activity is not None
    assert {name: captured[0].activity[name] for name in expected} == expected
