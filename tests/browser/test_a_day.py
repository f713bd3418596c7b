"""Two people spend a day on the example site, each in a window of their own: on a phone and at a desk, with
JavaScript and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

from tests.browser.example_server import ExampleServer, example_server
from tests.browser.looking import texts, until
from tests.browser.test_example_site import Site
from tests.extras import needs

__all__ = ["example_server"]

pytestmark = [pytest.mark.browser, needs("aggregation"), needs("streams")]

POLL_SECONDS = 60
NOTICE = "return document.documentElement.dataset.streamLive === 'on'"


class Person(Site):
    """Somebody with a window, a size and a name of their own."""

    def __init__(self, browser: WebDriver, address: str, name: str, size: str, *, scripts: bool) -> None:
        super().__init__(browser, address)
        self.name, self.has_scripts = name, scripts
        self.username = f"{name.lower()}-{uuid4().hex[:8]}"
        self.look(size)
        if not scripts:
            command: Any = browser.execute_cdp_cmd  # type: ignore[attr-defined]
            command("Emulation.setScriptExecutionDisabled", {"value": True})

    def fill(self, **fields: str) -> None:
        for name, text in fields.items():
            self.browser.find_element(By.NAME, name).send_keys(text)

    def sign_up(self) -> None:
        self.open("/sign-up/")
        secret = uuid4().hex
        self.fill(username=self.username, first_name=self.name, last_name="Example")
        self.fill(password1=secret, password2=secret)
        self.press("Sign up")
        assert "Welcome!" in self.text

    @property
    def text(self) -> str:
        return self.browser.find_element(By.TAG_NAME, "main").text

    def until(self, condition: Callable[[], Any], what: str, seconds: float = 20) -> None:
        until(self.browser, condition, what, seconds)

    def buttons(self) -> list[str]:
        return [one.accessible_name for one in self.browser.find_elements(By.TAG_NAME, "button")]

    def badge(self) -> list[str]:
        return " ".join(texts(self.browser, "nav .badge")).split()


@pytest.fixture(params=["desktop-scripts", "phone-scripts", "desktop-plain", "phone-plain"])
def pair(
    request: pytest.FixtureRequest, browsers: Callable[[], WebDriver], example_server: ExampleServer
) -> Iterator[tuple[Person, Person]]:
    size, kind = request.param.split("-")
    both = [
        Person(browsers(), example_server.url, name, size, scripts=kind == "scripts")
        for name in ("Ann", "Bob")
    ]
    yield both[0], both[1]
    for person in both:
        entries: Any = person.browser.get_log("browser")  # type: ignore[attr-defined]
        assert [entry["message"] for entry in entries] == []


def test_a_day_of_two_people(pair: tuple[Person, Person]) -> None:
    ann, bob = pair
    ann.sign_up()
    bob.sign_up()
    ann.open("/")

    _bob_finds_and_follows(ann, bob)
    _what_ann_writes_arrives(ann, bob)
    _bob_likes_and_comments(ann, bob)
    _ann_is_told(ann)
    _ann_wants_less(ann, bob)
    _bob_mutes_and_hears_again(ann, bob)
    _ann_looks_how_it_came(ann)


def _bob_finds_and_follows(ann: Person, bob: Person) -> None:
    bob.open("/people/")
    bob.fill(q=ann.username)
    bob.press("Search")
    bob.press("Follow Ann Example")
    assert "Unfollow Ann Example" in bob.buttons()


def _what_ann_writes_arrives(ann: Person, bob: Person) -> None:
    bob.open("/")
    assert "It is quiet here" in bob.text
    _what_ann_says_arrives(ann, bob, "The first of the day")
    assert "It is quiet here" not in bob.text
    assert bob.posts == ["The first of the day"]
    _what_ann_says_arrives(ann, bob, "Hello from Ann")
    assert bob.posts == ["Hello from Ann", "The first of the day"]


def _what_ann_says_arrives(ann: Person, bob: Person, text: str) -> None:
    if bob.has_scripts:
        bob.until(lambda: bob.browser.execute_script(NOTICE), "the page listens")
    ann.fill(text=text)
    ann.press("Post")
    assert ann.posts[0] == text
    if bob.has_scripts:
        offer = bob.browser.find_element(By.CSS_SELECTOR, ".stream-new")
        bob.until(offer.is_displayed, "the other window tells what is new")
        seconds = bob.browser.execute_script("return performance.now() / 1000")
        assert seconds < POLL_SECONDS, "it came by itself, and not since the page looked"
        bob.button("Show what is new (1)").click()
    else:
        bob.open("/")


def _bob_likes_and_comments(ann: Person, bob: Person) -> None:
    if bob.has_scripts:
        bob.browser.execute_script("window.isStillHere = true")
        bob.button("Like the post by Ann Example, likes: 0").click()
        bob.until(lambda: "Like the post by Ann Example, likes: 1" in bob.buttons(), "the like is counted")
        assert bob.browser.execute_script("return window.isStillHere")
    else:
        bob.press("Like the post by Ann Example, likes: 0")
    assert bob.button("Like the post by Ann Example, likes: 1").get_attribute("aria-pressed") == "true"
    bob.browser.find_element(By.CSS_SELECTOR, "a.answer").click()
    bob.fill(text="And to you, Ann")
    bob.press("Comment")
    assert bob.posts == ["Hello from Ann", "And to you, Ann"]
    bob.open("/")
    comments = bob.browser.find_element(By.CSS_SELECTOR, "a.answer")
    assert comments.accessible_name == "Comments on the post by Ann Example: 1"


def _ann_is_told(ann: Person) -> None:
    if not ann.has_scripts:
        ann.open("/")
    ann.until(lambda: ann.badge() == ["3", "new"], "the badge counts a follow, a like and a comment")
    ann.open("/notifications/")
    for told in ("follows you", "liked your post", "commented on your post"):
        assert f"Bob Example {told}" in ann.text
    assert ann.badge() == []
    assert "Mark as read Bob Example liked your post" in ann.buttons()
    ann.press("Mark as read Bob Example liked your post")
    assert "Mark as read Bob Example liked your post" not in ann.buttons()
    ann.press("Mark all as read")
    assert [name for name in ann.buttons() if "read" in name] == []
    ann.press("Dismiss Bob Example liked your post")
    assert "Bob Example liked your post" not in ann.text
    assert "Bob Example commented on your post" in ann.text
    ann.press("Dismiss all")
    assert "No news" in ann.text


def _ann_wants_less(ann: Person, bob: Person) -> None:
    ann.open("/preferences/")
    ann.browser.find_element(By.NAME, "comment_in_feed").click()
    ann.press("Save")
    assert "Saved." in ann.text
    bob.open("/")
    bob.browser.find_element(By.CSS_SELECTOR, "a.answer").click()
    bob.fill(text="Once more")
    bob.press("Comment")
    ann.open("/")
    assert ann.badge() == []
    ann.open("/notifications/")
    assert "No news" in ann.text


def _bob_mutes_and_hears_again(ann: Person, bob: Person) -> None:
    bob.open(f"/people/{ann.username}/")
    bob.browser.find_element(By.CSS_SELECTOR, ".aside summary").click()
    bob.press("Mute Ann Example")
    assert bob.posts == []
    bob.open("/settings/")
    bob.press("Unmute Ann Example")
    bob.open("/")
    assert bob.posts == ["Hello from Ann", "The first of the day"]


def _ann_looks_how_it_came(ann: Person) -> None:
    ann.open("/")
    ann.browser.find_element(By.PARTIAL_LINK_TEXT, "Pipeline").click()
    assert "Nothing waits." in ann.text
    assert "it is in the feed: entry 1" in ann.text
