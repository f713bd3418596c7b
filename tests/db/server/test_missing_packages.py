"""Without an optional package, what needs it says which extra to install, and all else works."""

import io
import sys

import pytest
from django.core.checks import run_checks

from django_stream.server.files.images import MissingPillow, cleaned
from django_stream.server.opengraph.fetching import Fetched, MissingOpenGraph, fetch
from django_stream.server.opengraph.parsing import parse


@pytest.fixture
def without(monkeypatch):
    def hide(*names: str) -> None:
        for name in names:
            monkeypatch.setitem(sys.modules, name, None)

    return hide


def test_images_name_their_extra(without):
    without("PIL")
    with pytest.raises(MissingPillow, match=r"django-stream-feeds\[images\]"):
        cleaned(io.BytesIO(b"x"))


def test_fetching_a_page_names_its_extra(without):
    without("requests_hardened", "requests_hardened.ip_filter")
    with pytest.raises(MissingOpenGraph, match=r"django-stream-feeds\[opengraph\]"):
        fetch("https://example.com/", seconds=1.0, most=1000)


def test_parsing_a_page_names_its_extra(without):
    without("lxml")
    with pytest.raises(MissingOpenGraph, match=r"django-stream-feeds\[opengraph\]"):
        parse(Fetched("https://example.com/", b"<title>x</title>", None))


def test_a_feed_group_that_needs_an_extra_is_named_at_start(without, settings):
    without("jinja2")
    group = {"kind": "aggregated", "aggregation_format": "{{ verb }} without Jinja"}
    settings.STREAM_SERVER_FEED_GROUPS = {"likes": group}
    (found,) = run_checks(tags=["django_stream_server"])
    assert found.id == "django_stream_server.E002"
    assert "django-stream-feeds[aggregation]" in found.msg
