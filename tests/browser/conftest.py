"""A headless Chromium, and the example site for it to look at."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pytest_django.live_server_helper import LiveServer
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.webdriver import WebDriver

from example_project import settings as example
from tests.example_site import example_settings

_QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def live_server() -> Iterator[LiveServer]:
    """A server with the example's middleware, which it takes when it starts."""
    with override_settings(MIDDLEWARE=example.MIDDLEWARE):
        server = LiveServer("localhost")
    yield server
    server.stop()


@pytest.fixture
def address(live_server: LiveServer, settings: Any) -> Iterator[str]:
    """Where the example site is served."""
    with example_settings(settings):
        yield str(live_server.url)


@pytest.fixture
def browser(browsers: Callable[[], WebDriver]) -> WebDriver:
    """A browser with a profile of its own."""
    return browsers()


@pytest.fixture
def browsers(tmp_path: Path) -> Iterator[Callable[[], WebDriver]]:
    """Opens browsers, each with a profile of its own; on a machine without Chromium the test fails."""
    opened: list[WebDriver] = []

    def another() -> WebDriver:
        opened.append(_open(tmp_path / f"profile{len(opened)}"))
        return opened[-1]

    try:
        yield another
    finally:
        for driver in opened:
            driver.quit()


def _open(profile: Path) -> WebDriver:
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and chromedriver):
        pytest.fail("Chromium is not here: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    # Both are named, so that Selenium looks for neither on the network.
    options.binary_location = chromium
    for argument in (*_QUIET, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(chromedriver))
    driver.implicitly_wait(5)
    return driver
