"""A feed without a site around it: HTMX loads older entries by attributes alone, and groups move up."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

from django_stream import feeds
from django_stream.tracking import drain
from tests.browser import pages
from tests.browser.looking import attributes, texts, until
from tests.testapp.models import Moment, Praise

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ENTRY = "[data-stream-entry]"
COUNT = (
    "window.scrollTo(0, document.body.scrollHeight); "
    "return document.querySelectorAll('[data-stream-entry]').length"
)
BADGES = "return document.querySelectorAll('.stream-badge').length"
LOOK = "document.querySelector('[data-stream-feed]').dispatchEvent(new Event('stream:look'))"


@pytest.fixture
def served(address: str, settings: Any) -> str:
    settings.ROOT_URLCONF = "tests.browser.pages"
    settings.MIDDLEWARE = []
    return address


def test_htmx_loads_older_entries(browser: WebDriver, served: str, ada: User) -> None:
    pages.SCRIPT["path"] = pages.htmx()
    for day in range(1, 13):
        Moment.objects.create(author=ada, text="x", created_at=f"2026-01-{day:02}T12:00:00Z")
    drain()
    ids = [one["id"] for one in feeds.profile(ada).page(limit=100)]
    browser.get(f"{served}/profile/{ada.pk}/")
    # Each page is asked for when the link to it comes into sight.
    until(browser, lambda: browser.execute_script(COUNT) == 12, "all are loaded")
    assert attributes(browser, ENTRY, "data-stream-entry") == ids
    assert not browser.find_elements(By.CSS_SELECTOR, "a[rel=next]")


def test_a_group_that_moves_up_takes_its_old_place_away(
    browser: WebDriver, served: str, ada: User, grace: User
) -> None:
    pages.SCRIPT["path"] = pages.ours()
    said = [Moment.objects.create(author=grace, text="x") for _ in range(3)]

    def praise(which: int) -> None:
        Praise.objects.create(by=ada, moment=said[which])
        drain()

    praise(0)
    praise(1)
    browser.get(f"{served}/notifications/{grace.pk}/")
    newer, older = groups(browser)
    # The older group gets a new activity, and with it another id; and there is a new group.
    praise(0)
    praise(2)

    browser.execute_script(LOOK)
    button = browser.find_element(By.CSS_SELECTOR, ".stream-new")
    until(browser, button.is_displayed, "the page offers what is new")
    assert button.text == "Show what is new (2)"
    button.click()

    newest, *others = groups(browser)
    assert others == [older, newer]
    assert newest not in others
    assert attributes(browser, ENTRY, "aria-posinset") == ["1", "2", "3"]


def test_a_look_marks_nothing_as_seen_until_somebody_asks_for_it(
    browser: WebDriver, served: str, ada: User, grace: User
) -> None:
    pages.SCRIPT["path"] = pages.ours()
    said = [Moment.objects.create(author=grace, text="x") for _ in range(2)]
    Praise.objects.create(by=ada, moment=said[0])
    drain()
    browser.get(f"{served}/notifications/{grace.pk}/")
    assert feeds.unseen(grace) == 0, "who opens the page has seen it"
    Praise.objects.create(by=ada, moment=said[1])
    drain()

    def told() -> bool:
        return texts(browser, ".stream-badge") == ["1 new notification"]

    for _ in range(2):
        browser.execute_script(LOOK)
        until(browser, told, "the badge counts it")
        assert feeds.unseen(grace) == 1

    browser.find_element(By.CSS_SELECTOR, ".stream-new").click()
    until(browser, lambda: feeds.unseen(grace) == 0, "who asks for it has seen it")
    until(browser, lambda: not browser.execute_script(BADGES), "nothing is left to count")
    assert len(groups(browser)) == 2


def groups(browser: WebDriver) -> list[str | None]:
    return attributes(browser, ENTRY, "data-stream-group")
