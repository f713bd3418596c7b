"""Without an optional package, what needs it says which extra to install, and all else works."""

import io
import sys

import pytest

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
