"""A headless Chromium, and the example site for it to look at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pytest_django.live_server_helper import LiveServer
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.webdriver import WebDriver

from example_project import settings as example
from tests.example_site import use_example_settings

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
def address(live_server: LiveServer, settings: Any) -> str:
    """Where the example site is served."""
    use_example_settings(settings)
    return str(live_server.url)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[WebDriver]:
    """A browser with a profile of its own; on a machine without Chromium the test fails."""
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and chromedriver):
        pytest.fail("Chromium is not here: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    # Both are named, so that Selenium looks for neither on the network.
    options.binary_location = chromium
    for argument in (*_QUIET, f"--user-data-dir={tmp_path}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(chromedriver))
    driver.implicitly_wait(5)
    try:
        yield driver
    finally:
        driver.quit()
