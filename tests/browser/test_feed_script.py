"""A feed without a site around it: HTMX loads older entries by attributes alone, and groups move up."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from django_stream import feeds
from django_stream.tracking import drain
from tests.browser import pages
from tests.testapp.models import Moment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

COUNT = "window.scrollTo(0, document.body.scrollHeight); return document.querySelectorAll('[data-stream-entry]').length"


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
    assert len(browser.find_elements(By.CSS_SELECTOR, "[data-stream-entry]")) >= 5
    # Each page is asked for when the link to it comes into sight.
    WebDriverWait(browser, 20).until(lambda driver: driver.execute_script(COUNT) == 12)
    found = browser.find_elements(By.CSS_SELECTOR, "[data-stream-entry]")
    assert [one.get_attribute("data-stream-entry") for one in found] == ids
    assert not browser.find_elements(By.CSS_SELECTOR, "a[rel=next]")
    assert [
        one
        for one in browser.get_log("browser")
        if one["level"] == "SEVERE" and "favicon" not in one["message"]
    ] == []


def test_a_group_that_moves_up_takes_its_old_place_away(
    browser: WebDriver, served: str, ada: User, grace: User
) -> None:
    pages.SCRIPT["path"] = pages.ours()

    def tell(moment: str) -> None:
        row = Moment.objects.create(author=ada, text="x", created_at=moment)
        row.mentioned.add(grace)
        drain()

    for day in (1, 2, 3):
        tell(f"2026-01-0{day}T12:00:00Z")
    browser.get(f"{served}/notifications/{grace.pk}/")
    first = groups(browser)
    assert len(first) == 3
    # Something joins the oldest group, and yet it does not stand above the others: nothing is new there.
    tell("2026-01-01T13:00:00Z")
    assert look(browser) == ""
    # The newest one gets another id, and a new one comes.
    tell("2026-01-03T13:00:00Z")
    tell("2026-01-04T12:00:00Z")

    assert look(browser) == "Show what is new (2)"
    browser.find_element(By.CSS_SELECTOR, ".stream-new").click()

    found = groups(browser)
    assert len(found) == len(set(found)) == 4
    assert found[1:] == first
    places = [
        one.get_attribute("aria-posinset")
        for one in browser.find_elements(By.CSS_SELECTOR, "[data-stream-entry]")
    ]
    assert places == ["1", "2", "3", "4"]


def groups(browser: WebDriver) -> list[Any]:
    entries = browser.find_elements(By.CSS_SELECTOR, "[data-stream-entry]")
    return [one.get_attribute("data-stream-group") for one in entries]


LOOK = """
const [feed, done] = [document.querySelector("[data-stream-feed]"), arguments[0]];
const before = window.fetch;
window.fetch = (...all) => {
  window.fetch = before;
  const asked = before(...all);
  asked.then(() => setTimeout(() => {
    const button = feed.querySelector("[data-stream-new]");
    done(button.hidden ? "" : button.textContent);
  }, 500));
  return asked;
};
feed.dispatchEvent(new Event("stream:look"));
"""


def look(browser: WebDriver) -> str:
    """What the button says once the page has looked for news; "" while it is hidden."""
    browser.set_script_timeout(20)
    return str(browser.execute_async_script(LOOK))
