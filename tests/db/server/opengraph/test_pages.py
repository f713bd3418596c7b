"""What a page says of itself is told in the fields of the wire."""

import time
import unicodedata
from encodings.aliases import aliases

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_stream.server.opengraph.fetching import Fetched, fetch
from django_stream.server.opengraph.parsing import parse
from tests.extras import needs

pytest.importorskip("webencodings")
from webencodings import lookup
from webencodings.labels import LABELS

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
                "width": "400",
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
                "image": "https://example.com/one.jpg",
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
        ("<title>Grüße</title>".encode("latin-1"), None),
        ("<meta charset=utf-16><title>Grüße</title>".encode(), None),
        ("<!-- <meta charset=koi8-r> --><meta charset=utf-8><title>Grüße</title>".encode(), None),
        ("<title>Grüße</title>".encode("utf-16"), None),
    ],
    ids=[
        *("header", "meta", "byte order mark", "neither", "unknown", "neither, and not UTF-8"),
        *("UTF-16 by mistake", "inside a comment", "UTF-16"),
    ],
)
def test_text_is_read_in_the_charset_of_the_page(body, charset):
    assert told(body, charset)["title"] == "Grüße"


@pytest.mark.parametrize(
    ("label", "title"),
    [
        ("euc-kr", "한국어 똠"),
        ("ks_c_5601-1987", "한국어"),
        ("gb2312", "简体 朱镕基"),
        ("iso-8859-1", "“quoted” – 5 €"),
        ("Shift_JIS", "日本語 ①"),
        ("big5", "繁體"),
        ("x-sjis", "日本語"),
        ("windows-1251", "Русский"),
    ],
)
def test_labels_mean_what_browsers_take_them_for(label, title):
    codec = {"euc-kr": "cp949", "gb2312": "gbk", "iso-8859-1": "cp1252"}.get(label) or lookup(label)
    body = f"<title>{title}</title>".encode(getattr(getattr(codec, "codec_info", None), "name", codec))
    assert told(body, label)["title"] == title
    declared = f"<meta charset='{label}'>".encode() + body
    assert told(declared, None)["title"] == title
    equivalent = f"<meta http-equiv=content-type content='text/html; charset={label}'>".encode() + body
    assert told(equivalent, None)["title"] == title


@pytest.mark.parametrize(
    "label", ["replacement", "hz-gb-2312", "iso-2022-kr", "hex", "idna", "base64", "é", ""]
)
def test_labels_that_are_none_for_text_are_no_failure(label):
    assert set(told(b"<title>plain</title>", label)) <= {"title", "url"}


LABELS_AND_MORE = st.sampled_from(sorted(LABELS)) | st.sampled_from(sorted(set(aliases.values()))) | st.text()


@given(label=LABELS_AND_MORE, body=st.binary(max_size=200), declared=st.booleans())
def test_any_label_gives_text_or_nothing(label, body, declared):
    head = b"<title>" + body + b"</title><meta property=og:title content='" + body + b"'>"
    if declared:
        head = f"<meta charset='{label}'>".encode() + head
    for value in told(head, None if declared else label).values():
        text = str(value)
        assert text.encode().decode() == text
        assert not any(
            unicodedata.category(character) == "Cc" for character in text if character not in "\n\t\r"
        )


def test_an_address_in_raw_utf_8_is_followed(web):
    web.moved("/old", "/größe".encode().decode("latin-1"))
    web.html("/gr%C3%B6%C3%9Fe", FULL)
    assert parse(fetch(web.url("/old"), seconds=5.0, most=100_000, rules=web.rules()))["title"] == "A & B"


def test_the_label_of_the_server_is_found_however_it_is_written(web):
    body = "<title>한국어</title>".encode("cp949")
    web.html("/ko", body, content_type='text/html;foo=bar; Charset = "EUC-KR"')
    page = fetch(web.url("/ko"), seconds=5.0, most=1000, rules=web.rules())
    assert parse(page)["title"] == "한국어"


def test_only_the_head_is_fetched_and_relative_addresses_follow_redirects(web):
    web.moved("/old", "/new/page")
    web.html("/new/page", FULL + "x" * 10_000)
    page = fetch(web.url("/old"), seconds=5.0, most=100_000, rules=web.rules())
    assert page.url == web.url("/new/page")
    assert b"</head" not in page.head
    assert parse(page)["favicon"] == web.url("/new/favicon.ico")


@pytest.mark.parametrize(
    "part", ["<!--", "<meta ", "<meta charset", "<meta charset= ", "<meta>", "<!---->", "<meta charset=x>"]
)
def test_a_page_is_looked_through_once_whatever_it_begins_and_does_not_end(part):
    begun = time.thread_time()
    told(part * (50_000 // len(part)), None)
    told("<meta charset=" + " " * 50_000 + ">", None)
    assert time.thread_time() - begun < 2


def test_a_label_of_blanks_is_looked_through_once(web):
    web.html("/page", "<title>Hello</title>", content_type=f"text/html; charset={' ' * 50_000};")
    begun = time.thread_time()
    page = fetch(web.url("/page"), seconds=60.0, most=1000, rules=web.rules())
    assert time.thread_time() - begun < 2
    assert (page.charset, parse(page)["title"]) == (None, "Hello")


@pytest.mark.parametrize(
    "head",
    [
        "<!-- a --><meta name='charset' charset=koi8-r>",
        "<!-- <meta charset=utf-8> -- > --><meta\ncharset = 'koi8-r'>",
        "<!-- --><meta charset=nothing><meta http-equiv=x content='y;charset=\"koi8-r'>",
        "<metacharset=utf-8><meta charset=koi8-r>",
        "<!--><meta charset=koi8-r>",
    ],
)
def test_the_label_of_a_page_is_found_beside_comments_and_other_tags(head):
    assert told(head.encode() + "<title>Привет</title>".encode("koi8-r"), None)["title"] == "Привет"
