"""How a test looks at a page whose script may replace what is looked at, at that very moment."""

from __future__ import annotations

from collections.abc import Callable

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

_TEXTS = "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText.trim())"
_ATTRIBUTES = (
    "return [...document.querySelectorAll(arguments[0])].map((one) => one.getAttribute(arguments[1]))"
)


def texts(browser: WebDriver, selector: str) -> list[str]:
    """What the page shows in each of these elements, read in one step."""
    found: list[str] = browser.execute_script(_TEXTS, selector)
    return found


def attributes(browser: WebDriver, selector: str, name: str) -> list[str | None]:
    """One attribute of each of these elements, read in one step."""
    found: list[str | None] = browser.execute_script(_ATTRIBUTES, selector, name)
    return found


def until(browser: WebDriver, condition: Callable[[], object], what: str, within: float = 20) -> None:
    """Wait until it is so; where an element went away while it was asked, ask again."""
    WebDriverWait(browser, within, ignored_exceptions=[WebDriverException]).until(lambda _: condition(), what)
