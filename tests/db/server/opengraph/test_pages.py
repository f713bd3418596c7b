"""What a page says of itself is told in the fields of the wire."""

import pytest

from django_stream.server.opengraph.fetching import Fetched, fetch
from django_stream.server.opengraph.parsing import parse
from tests.extras import needs

pytestmark = needs("opengraph")

FULL = """<!doctype html><html><head>
<title>Other title</title>
<meta property="og:title" content="A &amp; B">
<meta property="og:description" content="What it is">
<meta property="og:type" content="video.movie">
<meta property="og:url" content="https://example.com/canonical">
<meta property="og:site_name" content="Example">
<meta property="og:determiner" content="the">
<meta property="og:locale" content="en_GB">
<meta property="og:image" content="/one.jpg">
<meta property="og:image:secure_url" content="https://example.com/one.jpg">
<meta property="og:image:width" content="400">
<meta property="og:image:height" content="tall">
<meta property="og:image:alt" content="One">
<meta property="og:image" content="https://cdn.example.com/two.png">
<meta property="og:image:type" content="image/png">
<meta property="og:video" content="https://example.com/film.mp4">
<meta property="og:video:type" content="video/mp4">
<meta property="og:audio" content="https://example.com/sound.mp3">
<link rel="shortcut icon" href="favicon.ico">
</head><body><meta property="og:title" content="late"></body></html>"""


def told(text: str | bytes, charset: str | None = "utf-8", url: str = "https://example.com/a/b") -> dict:
    return parse(Fetched(url, text.encode() if isinstance(text, str) else text, charset))


def test_every_field_and_group_is_told():
    assert told(FULL) == {
        "title": "A & B",
        "description": "What it is",
        "type": "video.movie",
        "url": "https://example.com/canonical",
        "site_name": "Example",
        "determiner": "the",
        "locale": "en_GB",
        "favicon": "https://example.com/a/favicon.ico",
        "images": [
            {
                "image": "https://example.com/one.jpg",
                "url": "https://example.com/one.jpg",
                "secure_url": "https://example.com/one.jpg",
                "width": 400,
                "alt": "One",
            },
            {
                "image": "https://cdn.example.com/two.png",
                "url": "https://cdn.example.com/two.png",
                "type": "image/png",
            },
        ],
        "videos": [
            {
                "video": "https://example.com/film.mp4",
                "url": "https://example.com/film.mp4",
                "type": "video/mp4",
            }
        ],
        "audios": [{"audio": "https://example.com/sound.mp3", "url": "https://example.com/sound.mp3"}],
    }


def test_a_page_without_the_protocol_is_told_by_title_and_description():
    page = "<title> Plain </title><meta name=description content='Just so'>"
    assert told(page) == {"title": "Plain", "description": "Just so", "url": "https://example.com/a/b"}


@pytest.mark.parametrize("text", ["", "   ", "<html></html>", "no markup", "<!-- -->", "\x00\xff"])
def test_a_page_that_says_nothing_has_no_data(text):
    assert told(text) == {}


def test_addresses_that_would_run_something_are_left_out():
    page = (
        "<title>x</title><meta property=og:image content='javascript:alert(1)'>"
        "<link rel=icon href='data:image/svg+xml,x'>"
    )
    assert told(page) == {"title": "x", "url": "https://example.com/a/b"}


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        ("<title>Grüße</title>".encode("latin-1"), "iso-8859-1"),
        ("<meta charset=iso-8859-1><title>Grüße</title>".encode("latin-1"), None),
        ("\ufeff<title>Grüße</title>".encode(), "latin-1"),
        ("<title>Grüße</title>".encode(), None),
        ("<title>Grüße</title>".encode(), "no-such-charset"),
    ],
    ids=["header", "meta", "byte order mark", "neither", "unknown"],
)
def test_text_is_read_in_the_charset_of_the_page(body, charset):
    assert told(body, charset)["title"] == "Grüße"


def test_only_the_head_is_fetched_and_relative_addresses_follow_redirects(web):
    web.moved("/old", "/new/page")
    web.html("/new/page", FULL + "x" * 10_000)
    page = fetch(web.url("/old"), seconds=5.0, most=100_000, rules=web.rules())
    assert page.url == web.url("/new/page")
    assert b"</head" not in page.head
    assert parse(page)["favicon"] == web.url("/new/favicon.ico")
