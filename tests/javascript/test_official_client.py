"""getstream, the official JavaScript client, unmodified, as a client of the server over a socket."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from django_stream.protocol.credentials import EMBEDDED_API_KEY
from django_stream.server.conf import server_settings
from tests.db.server.streams.site import databases, servers

__all__ = ["databases", "servers"]

HERE = Path(__file__).parent

pytestmark = [pytest.mark.javascript, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("scenarios", ["feeds.mjs", "objects.mjs"])
def test_it_works_unmodified(live_server: Any, settings: Any, tmp_path: Path, scenarios: str) -> None:
    settings.MEDIA_ROOT = tmp_path
    run(scenarios, live_server.url)


@pytest.mark.parametrize("transport", ["websocket", "long-polling"])
@pytest.mark.parametrize("version", ["getstream5", "getstream6", "getstream7", "getstream"])
def test_feeds_are_subscribed_to(servers: Any, transport: str, version: str) -> None:
    url = servers().base.removesuffix("/api/v1.0/")
    run("subscriptions.mjs", url, FAYE_TRANSPORT=transport, GETSTREAM=version)


def run(scenarios: str, url: str, **more: str) -> None:
    """Run scenarios in Node.js against a server."""
    node = shutil.which("node")
    assert node, "Node.js is not here; these scenarios run in it"
    ours = {
        **more,
        "STREAM_URL": url,
        "STREAM_KEY": EMBEDDED_API_KEY,
        "STREAM_SECRET": server_settings.own_secret,
    }
    outcome = subprocess.run(
        [node, "--test", "--test-reporter=spec", HERE / scenarios],
        env={**os.environ, **ours},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
