"""Without an optional package, what needs it says which extra to install, and all else works."""

import io
import sys

import pytest
from django.core.checks import run_checks

from django_stream.protocol.messages import Upload
from django_stream.server.extras import MissingExtra
from django_stream.server.files.images import cleaned
from django_stream.server.opengraph.fetching import Fetched, fetch
from django_stream.server.opengraph.parsing import parse
from tests.contract.calling import refusal


@pytest.fixture
def without(monkeypatch):
    def hide(*names: str) -> None:
        for name in names:
            monkeypatch.setitem(sys.modules, name, None)

    return hide


def test_images_name_their_extra(without):
    without("PIL")
    with pytest.raises(MissingExtra, match=r"django-stream-feeds\[images\]"):
        cleaned(io.BytesIO(b"x"))


def test_fetching_a_page_names_its_extra(without):
    without("requests_hardened", "requests_hardened.ip_filter")
    with pytest.raises(MissingExtra, match=r"django-stream-feeds\[opengraph\]"):
        fetch("https://example.com/", seconds=1.0, most=1000)


def test_parsing_a_page_names_its_extra(without):
    without("lxml")
    with pytest.raises(MissingExtra, match=r"django-stream-feeds\[opengraph\]"):
        parse(Fetched("https://example.com/", b"<title>x</title>", None))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "more", "packages", "extra"),
    [
        ("POST", "images/", {"upload": Upload("a.png", io.BytesIO(b"x"))}, ["PIL"], "images"),
        ("GET", "og/", {"url": "https://example.com/"}, ["requests_hardened.ip_filter"], "opengraph"),
        ("GET", "feed/likes/1/", {}, ["jinja2"], "aggregation"),
    ],
)
def test_the_answer_names_the_extra_too(without, settings, method, path, more, packages, extra):
    group = {"kind": "aggregated", "aggregation_format": "{{ verb }} for this test"}
    settings.STREAM_SERVER_FEED_GROUPS = {"likes": group}
    without(*packages)
    status, code, detail = refusal(method, path, **more)
    assert (status, code) == (500, -1)
    assert f"pip install 'django-stream-feeds[{extra}]'" in detail


def test_a_feed_group_that_needs_an_extra_is_named_at_start(without, settings):
    without("jinja2")
    group = {"kind": "aggregated", "aggregation_format": "{{ verb }} without Jinja"}
    settings.STREAM_SERVER_FEED_GROUPS = {"likes": group}
    (found,) = run_checks(tags=["django_stream_server"])
    assert found.id == "django_stream_server.E002"
    assert "django-stream-feeds[aggregation]" in found.msg
