"""The script while it listens: how often it looks, when it listens at all, and what ends that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

from django_stream import feeds
from django_stream.tracking import drain
from example_project import settings as example
from tests.browser import listening, pages
from tests.browser.looking import texts
from tests.services.processes import wait_until
from tests.testapp.models import Moment, Praise

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIVE = "return document.documentElement.dataset.streamLive === 'on'"
# As a browser does it for a tab in the background.
TURN = (
    "Object.defineProperty(document, 'hidden', {configurable: true, value: arguments[0]});"
    "document.dispatchEvent(new Event('visibilitychange'))"
)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[listening.World]:
    world = listening.World()
    monkeypatch.setattr(listening, "WORLD", world)
    yield world
    world.stop.set()


@pytest.fixture
def opened(
    browser: WebDriver, address: str, settings: Any, grace: User, world: listening.World
) -> Callable[[], WebDriver]:
    """Opens the page, signed in as Grace."""
    settings.ROOT_URLCONF = "tests.browser.listening"
    settings.MIDDLEWARE = example.MIDDLEWARE
    pages.SCRIPT["path"] = pages.ours()

    def open_() -> WebDriver:
        client = Client()
        client.force_login(grace)
        name = django_settings.SESSION_COOKIE_NAME
        browser.get(f"{address}/empty/")
        browser.add_cookie({"name": name, "value": client.cookies[name].value})
        browser.get(f"{address}/page/")
        return browser

    return open_


def soon(happens: Callable[[], object], what: str) -> None:
    wait_until(happens, what, within=30)


def is_live(browser: WebDriver) -> bool:
    return bool(browser.execute_script(LIVE))


def test_a_burst_of_news_is_looked_at_once_in_a_while(
    opened: Callable[[], WebDriver], world: listening.World
) -> None:
    world.pause, world.news = "0.1 0.3 1 30", 200
    opened()
    soon(lambda: world.count("look") >= 3, "the page looks again and again")
    looks = world.asked["look"]
    assert all(later - earlier >= 1 for earlier, later in pairwise(looks))
    told = [one for one in world.asked["/meta/connect"] if one < looks[0]]
    assert looks[0] - told[0] >= 0.1, "it waits before the first look, too"


def test_what_the_page_itself_asks_for_does_not_wait(
    opened: Callable[[], WebDriver], world: listening.World
) -> None:
    world.pause = "60 60 60 90"
    browser = opened()
    for number in (1, 2):
        browser.execute_script(
            "document.querySelector('[data-stream-feed]').dispatchEvent(new Event('stream:look'))"
        )
        soon(lambda number=number: world.count("look") == number, "it looks at once")


def test_a_hidden_page_holds_no_connection(opened: Callable[[], WebDriver], world: listening.World) -> None:
    browser = opened()
    soon(lambda: is_live(browser), "the page listens")
    browser.execute_script(TURN, True)
    soon(lambda: world.count("/meta/disconnect") == 1, "it leaves")
    assert not is_live(browser)
    connects = world.count("/meta/connect")
    # Time for five connects, by the browser's own clock.
    browser.execute_async_script("setTimeout(arguments[0], 1000)")
    assert world.count("/meta/connect") <= connects + 1, "one may have been on its way"
    assert (world.count("/meta/handshake"), world.count("look")) == (1, 0)

    browser.execute_script(TURN, False)
    soon(lambda: is_live(browser), "it listens again")
    assert world.count("/meta/handshake") == 2
    soon(lambda: world.count("look") == 1, "it looks at what came in between")


def test_a_dead_connection_is_given_up(opened: Callable[[], WebDriver], world: listening.World) -> None:
    world.pause = "0 0 0 1"
    world.next["/meta/connect"] = [{"successful": True, "dead": True}]
    browser = opened()
    soon(lambda: world.count("/meta/handshake") >= 2, "another session begins")
    soon(lambda: is_live(browser), "and listens")


@pytest.mark.parametrize(
    ("channel", "answer"),
    [
        *(
            ("/meta/subscribe", {"successful": False, "error": error})
            for error in ("429:/x:Too many", "500::the server failed", "401::Unknown client", None)
        ),
        ("/meta/subscribe", {"status": 500}),
        ("/meta/subscribe", {"status": 429}),
        ("/meta/handshake", {"successful": False, "error": "503::Too many clients"}),
        ("/meta/handshake", {"status": 502}),
        ("/meta/connect", {"successful": False, "error": "401::Unknown client"}),
    ],
)
def test_what_passes_is_tried_again(
    channel: str, answer: Any, opened: Callable[[], WebDriver], world: listening.World
) -> None:
    world.next[channel] = [answer]
    browser = opened()
    soon(lambda: world.count("/meta/handshake") >= 2, "another session begins")
    soon(lambda: is_live(browser), "and listens")


@pytest.mark.parametrize("error", ["403:/x:not yours", "404:/x:no such feed"])
def test_what_is_refused_is_not_asked_for_again(
    error: str, opened: Callable[[], WebDriver], world: listening.World
) -> None:
    refusal = {"successful": False, "error": error}
    world.with_feed = False
    world.next["/meta/subscribe"] = [refusal]
    browser = opened()
    soon(lambda: world.count("/meta/subscribe") == 1, "it asks")
    browser.execute_async_script("setTimeout(arguments[0], 3000)")
    assert (world.count("/meta/handshake"), world.count("/meta/connect")) == (1, 0)
    assert not is_live(browser)


def test_a_badge_alone_asks_for_its_number(
    opened: Callable[[], WebDriver], world: listening.World, ada: User, grace: User
) -> None:
    world.with_feed = False
    browser = opened()
    soon(lambda: is_live(browser), "the page listens")
    counts = "return performance.getEntriesByName(location.origin + '/stream/notifications/count/').length"

    def asked(number: int) -> Callable[[], bool]:
        return lambda: browser.execute_script(counts) >= number

    world.news = 1
    soon(asked(1), "it asks for the number")
    assert world.count("look") == 0, "the number is the same"
    said = Moment.objects.create(author=grace, text="x")
    Praise.objects.create(by=ada, moment=said)
    drain()
    world.news = 1
    soon(lambda: texts(browser, ".stream-badge") == ["1 new notification"], "the badge says it")
    assert world.count("look") == 1
    world.news = 1
    before = browser.execute_script(counts)
    soon(asked(before + 1), "it asks again")
    assert world.count("look") == 1


@pytest.mark.parametrize("with_feed", [True, False])
def test_what_came_before_the_page_listens_is_noticed(
    with_feed: bool, opened: Callable[[], WebDriver], world: listening.World, ada: User, grace: User
) -> None:
    said = [Moment.objects.create(author=grace, text="x") for _ in range(2)]
    praise(ada, said[0])
    world.with_feed = with_feed
    world.meanwhile = lambda: praise(ada, said[1])
    browser = opened()
    if with_feed:
        button = browser.find_element(By.CSS_SELECTOR, ".stream-new")
        soon(button.is_displayed, "the page offers it")
        assert button.text == "Show what is new (1)"
    soon(lambda: badges(browser) == [str(2 - with_feed)], "the badge counts it")
    assert world.count("look") == 1


def test_a_page_that_is_up_to_date_is_not_read_again(
    opened: Callable[[], WebDriver], world: listening.World, ada: User, grace: User
) -> None:
    praise(ada, Moment.objects.create(author=grace, text="x"))
    browser = opened()
    soon(lambda: world.count("/meta/connect") >= 3, "the page listens")
    newest = "return performance.getEntriesByName(location.origin + '/feeds/notification/?limit=1').length"
    assert (browser.execute_script(newest), world.count("look")) == (1, 0)


def test_the_same_twice_on_a_page_is_kept_up_to_date_twice(
    opened: Callable[[], WebDriver], world: listening.World, ada: User, grace: User
) -> None:
    said = [Moment.objects.create(author=grace, text="x") for _ in range(2)]
    praise(ada, said[0])
    world.twice = True
    browser = opened()
    soon(lambda: is_live(browser), "the page listens")
    praise(ada, said[1])
    world.news = 1
    soon(lambda: badges(browser) == ["1", "1"], "both badges say it")
    new = browser.find_elements(By.CSS_SELECTOR, ".stream-new")
    soon(lambda: all(one.is_displayed() for one in new), "both feeds offer it")
    new[0].click()
    new[1].click()
    shown = "return [...document.querySelectorAll('[role=feed]')].map((feed) => feed.children.length)"
    soon(lambda: browser.execute_script(shown) == [2, 2], "both show it")
    soon(lambda: badges(browser) == [], "somebody has seen it")


def praise(by: User, moment: Moment) -> None:
    Praise.objects.create(by=by, moment=moment)
    drain()


def badges(browser: WebDriver) -> list[str]:
    """Their numbers; what a look replaces meanwhile is asked for again."""
    numbers = (
        "return [...document.querySelectorAll('.stream-badge')].map((one) => one.firstChild.textContent)"
    )
    found: list[str] = browser.execute_script(numbers)
    return found


@pytest.mark.parametrize(
    ("state", "come"),
    [
        (
            "Object.defineProperty(document, 'prerendering', {configurable: true, value: true})",
            "document.dispatchEvent(new Event('prerenderingchange'))",
        ),
        ("Object.defineProperty(PerformanceNavigationTiming.prototype, 'activationStart', {value: 5})", ""),
        (
            "Object.defineProperty(PerformanceNavigationTiming.prototype, 'deliveryType',"
            " {value: 'navigational-prefetch'})",
            "",
        ),
    ],
)
def test_who_looks_at_a_page_that_was_read_ahead_has_seen_it(
    state: str,
    come: str,
    opened: Callable[[], WebDriver],
    browser: WebDriver,
    world: listening.World,
    ada: User,
    grace: User,
) -> None:
    """As a browser tells it, since one that is driven by a program reads nothing ahead."""
    said = Moment.objects.create(author=grace, text="x")
    Praise.objects.create(by=ada, moment=said)
    drain()
    world.is_read_ahead = True
    command: Any = browser.execute_cdp_cmd  # type: ignore[attr-defined]
    command("Page.addScriptToEvaluateOnNewDocument", {"source": state})
    opened()
    if come:
        soon(lambda: is_live(browser), "the page listens")
        assert (feeds.unseen(grace), world.count("page")) == (1, 0)
        browser.execute_script(come)
    soon(lambda: feeds.unseen(grace) == 0, "somebody has seen it")
    assert world.asked.keys() >= {"ahead", "page"}
    assert world.count("page") == 1
