"""og/ answers with what a page says of itself, and asks the page once."""

import contextlib
from functools import partial

import pytest
from django.core.cache import cache

from django_stream.server import turns
from django_stream.server.handlers import opengraph
from django_stream.server.opengraph.fetching import fetch
from tests.contract.calling import ok, refusal, refused, user_token
from tests.extras import needs

pytestmark = [pytest.mark.django_db, needs("opengraph")]


@pytest.fixture(autouse=True)
def _reaching_this_machine(web, monkeypatch):
    """The fetcher with rules that admit the test's own web server besides the public internet."""
    monkeypatch.setattr(opengraph, "fetch", partial(fetch, rules=web.rules()))
    cache.clear()


def test_a_page_is_told_and_remembered(web):
    url = web.html("/page", "<meta property='og:title' content='Hello'>")
    told = ok("GET", "og/", url=url)
    assert {name: told[name] for name in ("title", "url", "original_url")} == {
        "title": "Hello",
        "url": url,
        "original_url": url,
    }
    assert ok("GET", "og", auth=user_token("bob"), url=url)["title"] == "Hello"
    assert web.asked == ["/page"]


def test_no_user_holds_all_threads_with_slow_pages(web):
    url = web.html("/page", "<title>Hello</title>")
    with contextlib.ExitStack() as slow:
        for _ in range(turns.pages.each):
            slow.enter_context(turns.pages.turn(1, "eve"))
        assert refused("GET", "og/", url=url, auth=user_token("eve"))[0] == 429
        assert ok("GET", "og/", url=url, auth=user_token("bob"))["title"] == "Hello"
        assert ok("GET", "og/", url=url, auth=user_token("eve"))["title"] == "Hello", "what is remembered"
    assert not turns.pages._of_users  # noqa: SLF001


def test_the_address_asked_for_is_told_beside_where_it_led(web):
    web.html("/new", "<title>New</title>")
    told = ok("GET", "og/", url=web.moved("/old", "/new"))
    assert (told["original_url"], told["url"]) == (web.url("/old"), web.url("/new"))


def test_a_page_that_says_nothing_is_refused_and_asked_again(web):
    url = web.html("/", "<p>nothing")
    detail = (400, 4, "couldn't find og data for the provided url")
    assert refusal("GET", "og/", url=url) == refusal("GET", "og/", url=url) == detail
    assert web.asked == ["/", "/"]


@pytest.mark.parametrize("status", [404, 500])
def test_what_a_failing_server_says_is_no_page(web, status):
    def send(handler):
        handler.send_response(status)
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        handler.wfile.write(b"<title>Not found</title>")

    web.pages["/"] = send
    assert refused("GET", "og/", url=web.url("/")) == (400, 4)


def test_a_url_is_required_and_of_bearable_length(web):
    assert refused("GET", "og/") == (400, 4)
    assert refused("GET", "og/", url=web.url("/" + "x" * 3000)) == (400, 4)
    assert web.asked == []
