"""A person uses the example site: signs in, writes, follows, likes, on a phone and by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement

from example_project.social.models import Comment, Follow, Like, Post
from tests.browser.looking import attributes, texts, until
from tests.db.example.test_hostile import poison
from tests.services.processes import wait_until

pytestmark = pytest.mark.browser

SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
SCHEMES = ("light", "dark")
LOADED = "return document.readyState === 'complete'"


class Site:
    """The site as a person sees it: words and buttons."""

    def __init__(self, browser: WebDriver, address: str) -> None:
        self.browser = browser
        self.address = address

    def open(self, path: str) -> None:
        self.browser.get(self.address + path)

    def look(self, size: str, scheme: str = "light") -> None:
        width, height = SIZES[size]
        command: Any = self.browser.execute_cdp_cmd  # type: ignore[attr-defined]
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"}
        command("Emulation.setDeviceMetricsOverride", metrics)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        command("Emulation.setEmulatedMedia", {"features": [feature]})

    def button(self, name: str) -> WebElement:
        """A button by the name that a screen reader says."""
        buttons = self.browser.find_elements(By.TAG_NAME, "button")
        named = [one for one in buttons if one.accessible_name == name]
        assert named, f"no {name!r} among {[one.accessible_name for one in buttons]}"
        return named[0]

    def press(self, name: str) -> None:
        """Press a button and wait for the page that it leads to."""
        page = self.browser.find_element(By.TAG_NAME, "html")
        self.button(name).click()
        until(self.browser, lambda: is_gone(page), f"the page behind {name!r} comes")
        until(self.browser, lambda: self.browser.execute_script(LOADED), f"the page behind {name!r} is whole")

    def sign_in(self, username: str) -> None:
        self.open("/sign-in/")
        self.browser.find_element(By.NAME, "username").send_keys(username)
        self.browser.find_element(By.NAME, "password").send_keys("demo" + Keys.ENTER)
        self.browser.find_element(By.CSS_SELECTOR, ".sign-out")

    @property
    def posts(self) -> list[str]:
        until(self.browser, lambda: self.browser.execute_script(LOADED), "the page is whole")
        return texts(self.browser, ".text")


def is_gone(element: WebElement) -> bool:
    try:
        element.is_enabled()
    except StaleElementReferenceException:
        return True
    return False


@pytest.fixture
def people(transactional_db: None) -> dict[str, User]:
    names = {"ada": ("Ada", "Okafor"), "grace": ("Grace", "Lind")}
    return {
        name: User.objects.create_user(name, password="demo", first_name=first, last_name=last)
        for name, (first, last) in names.items()
    }


@pytest.fixture
def site(browser: WebDriver, address: str, people: dict[str, User]) -> Iterator[Site]:
    site = Site(browser, address)
    site.look("phone")
    yield site
    complaints = [entry["message"] for entry in browser.get_log("browser")]  # type: ignore[attr-defined]
    assert complaints == []


def test_sign_in_write_follow_like(site: Site, people: dict[str, User]) -> None:
    Post.objects.create(author=people["grace"], text="Hello from Grace")
    site.open("/")
    assert site.posts == ["Hello from Grace"]

    site.sign_in("ada")
    assert site.posts == []
    site.browser.find_element(By.NAME, "text").send_keys("Hello from Ada")
    site.press("Post")
    assert site.posts == ["Hello from Ada"]

    site.open("/people/")
    site.press("Follow Grace Lind")
    assert Follow.objects.filter(follower=people["ada"], followed=people["grace"]).exists()
    assert site.button("Unfollow Grace Lind").is_displayed()
    site.open("/")
    assert site.posts == ["Hello from Ada", "Hello from Grace"]

    site.button("Like the post by Grace Lind, likes: 0").click()
    wait_for(lambda: site.button("Like the post by Grace Lind, likes: 1"))
    liked = site.button("Like the post by Grace Lind, likes: 1")
    assert liked.get_attribute("aria-pressed") == "true"
    assert Like.objects.count() == 1
    site.press("Sign out Ada Okafor")

    site.sign_in("grace")
    badge = site.browser.find_element(By.CSS_SELECTOR, "nav .badge")
    assert badge.text.split() == ["2", "new"]  # a follow and a like
    site.open("/notifications/")
    assert (
        "Ada Okafor liked your post" in site.browser.find_element(By.CSS_SELECTOR, "[role=feed] .byline").text
    )


def test_everything_can_be_done_by_keyboard(site: Site, people: dict[str, User]) -> None:
    Follow.objects.create(follower=people["ada"], followed=people["grace"])
    Post.objects.create(author=people["grace"], text="Hello from Grace")
    site.sign_in("ada")
    site.open("/")

    first = tab(site)
    assert first.text == "Skip to the content"
    first.send_keys(Keys.ENTER)
    for _ in range(10):
        focused = tab(site)
        outline = focused.value_of_css_property("outline-style")
        assert outline == "solid", focused.accessible_name
        if focused.accessible_name.startswith("Like"):
            focused.send_keys(Keys.SPACE)
            break
    wait_for(lambda: site.button("Like the post by Grace Lind, likes: 1"))
    assert site.browser.switch_to.active_element.accessible_name == "Like the post by Grace Lind, likes: 1"

    assert Like.objects.filter(user=people["ada"]).count() == 1


def wait_for(condition: Callable[[], object]) -> None:
    """Until it holds; what it looks for may not be there yet, or may be replaced at that moment."""
    wait_until(lambda: _holds(condition), "the page shows it", within=20)


def _holds(condition: Callable[[], object]) -> bool:
    try:
        return bool(condition())
    except (AssertionError, WebDriverException):
        return False


def tab(site: Site) -> WebElement:
    site.browser.switch_to.active_element.send_keys(Keys.TAB)
    return site.browser.switch_to.active_element


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", list(SIZES))
def test_no_page_is_wider_than_its_window_or_hard_to_read(
    site: Site, people: dict[str, User], size: str, scheme: str
) -> None:
    long_word = "w" * 300
    post = Post.objects.create(
        author=people["ada"],
        text=f"{long_word} https://example.org/{long_word[:90]}",
        preview={"title": long_word, "description": long_word, "url": "https://example.org/"},
    )
    Comment.objects.create(user=people["grace"], post=post, text=long_word)
    Like.objects.create(user=people["grace"], post=post)
    Follow.objects.create(follower=people["ada"], followed=people["grace"])
    site.sign_in("ada")
    site.look(size, scheme)

    for path in (
        *("/", "/popular/", "/summary/", "/everyone/", "/people/", "/people/ada/", "/people/grace/"),
        *(
            f"/posts/{post.pk}/",
            f"/posts/{post.pk}/pipeline/",
            "/notifications/",
            "/settings/",
            "/preferences/",
        ),
    ):
        site.open(path)
        assert site.browser.execute_script(WIDTH) <= SIZES[size][0], path
        assert site.browser.execute_script(FAINT_TEXTS) == [], path


def test_initials_stay_whole_and_a_wide_picture_begins_below_the_bar(
    site: Site, people: dict[str, User]
) -> None:
    post = Post.objects.create(author=people["ada"], text="Liked by two")
    for name in ("Greta Moana", "Mia Wood"):
        first, last = name.split()
        person = User.objects.create(username=first.lower(), first_name=first, last_name=last)
        Like.objects.create(user=person, post=post)
    site.open("/")
    assert site.browser.execute_script(GAP.format(".hero")) == 0
    site.sign_in("ada")

    site.open("/people/grace/")
    assert site.browser.execute_script(GAP.format(".profile")) == 0
    site.open("/notifications/")
    assert site.browser.execute_script(COVERED_INITIALS) == []


GAP = """
const edge = (selector, side) => document.querySelector(selector).getBoundingClientRect()[side];
return Math.round(edge("{}", "top") - edge(".top", "bottom"));
"""

# Initials that the ring of the next one, two pixels wide, reaches into.
COVERED_INITIALS = """
const box = node => {
  const range = document.createRange();
  range.selectNodeContents(node);
  return range.getBoundingClientRect();
};
const crowd = [...document.querySelectorAll(".crowd .avatar")];
if (crowd.length < 2) return ["no crowd"];
return crowd.slice(0, -1)
  .filter((one, index) => box(one).right > crowd[index + 1].getBoundingClientRect().left - 2)
  .map(one => one.textContent);
"""

WIDTH = "return document.documentElement.scrollWidth"

# Texts whose contrast with the first opaque colour behind them is below the 4.5 of WCAG AA.
FAINT_TEXTS = """
const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const rgba = colour => {
  canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};
const light = colour => {
  const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const [r, g, b] = rgba(colour).map(v => linear(v / 255));
  return .2126 * r + .7152 * g + .0722 * b;
};
const behind = element => {
  for (let one = element; one; one = one.parentElement) {
    const colour = getComputedStyle(one).backgroundColor;
    if (rgba(colour)[3] === 255) return colour;
  }
  return "#fff";
};
const contrast = (a, b) => (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
return [...document.querySelectorAll("body *")]
  .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
  .filter(one => !["SCRIPT", "STYLE"].includes(one.tagName) && one.checkVisibility())
  .filter(one => contrast(light(getComputedStyle(one).color), light(behind(one))) < 4.5)
  .map(one => one.textContent.trim());
"""


def test_older_posts_come_while_one_scrolls_and_new_ones_when_one_asks(
    site: Site, people: dict[str, User]
) -> None:
    for number in range(45):
        Post.objects.create(author=people["grace"], text=f"post {number}")
    site.look("desktop")
    site.open("/everyone/")
    assert len(site.posts) >= 20

    scroll = (
        "window.scrollTo(0, document.body.scrollHeight); return document.querySelectorAll('.text').length"
    )
    until(site.browser, lambda: site.browser.execute_script(scroll) == 45, "all are loaded")
    assert site.posts == [f"post {number}" for number in range(44, -1, -1)]
    entries = "[role=feed] > [role=article]"
    assert attributes(site.browser, entries, "aria-posinset") == [str(n) for n in range(1, 46)]
    assert set(attributes(site.browser, entries, "aria-setsize")) == {"45"}
    assert not site.browser.find_elements(By.CSS_SELECTOR, "a[rel=next]")

    Post.objects.create(author=people["ada"], text="news")
    site.browser.execute_script(
        "document.querySelector('[data-stream-feed]').dispatchEvent(new Event('stream:look'))"
    )
    offer = site.browser.find_element(By.CSS_SELECTOR, ".stream-new")
    until(site.browser, offer.is_displayed, "the page offers what is new")
    site.button("Show what is new (1)").click()
    assert site.posts[:2] == ["news", "post 44"]
    first = site.browser.switch_to.active_element
    assert first.get_attribute("aria-posinset") == "1"
    first.send_keys(Keys.PAGE_DOWN)
    assert site.browser.switch_to.active_element.get_attribute("aria-posinset") == "2"


def test_without_javascript_older_posts_are_behind_a_link(site: Site, people: dict[str, User]) -> None:
    for number in range(45):
        Post.objects.create(author=people["grace"], text=f"post {number}")
    command: Any = site.browser.execute_cdp_cmd  # type: ignore[attr-defined]
    command("Emulation.setScriptExecutionDisabled", {"value": True})
    site.look("desktop")
    site.open("/everyone/")
    seen = site.posts
    for _ in range(2):
        site.browser.find_element(By.CSS_SELECTOR, "a[rel=next]").click()
        seen += site.posts
    assert seen == [f"post {number}" for number in range(44, -1, -1)]
    assert not site.browser.find_elements(By.CSS_SELECTOR, "a[rel=next]")


def test_hostile_words_do_nothing_in_a_browser(site: Site, people: dict[str, User]) -> None:
    """The window's log, which must be empty in the end, would tell of what the policy stopped."""
    theirs, mine = poison(people["ada"], people["grace"])
    site.sign_in("ada")
    for path in (
        *("/", "/popular/", "/summary/", "/everyone/", "/people/", "/people/grace/", "/notifications/"),
        *(f"/posts/{theirs.pk}/", f"/posts/{mine.pk}/", "/settings/"),
    ):
        site.open(path)
        assert site.browser.execute_script("return window.hacked === undefined"), path
        assert site.browser.execute_script(WIDTH) <= SIZES["phone"][0], path
        assert site.browser.execute_script("return document.querySelectorAll('main script').length") == 0
