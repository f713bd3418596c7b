"""getstream, the official JavaScript client, in each of its generations, over real HTTP servers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from django_stream.protocol.credentials import EMBEDDED_API_KEY, embedded_secret
from tests.served.conftest import Served

SCENARIOS = Path(__file__).parents[1] / "javascript"

pytestmark = pytest.mark.javascript


@pytest.mark.parametrize("client", ["getstream4", "getstream5", "getstream6", "getstream7", "getstream"])
def test_it_works_unmodified(served: Served, client: str) -> None:
    node = shutil.which("node")
    assert node, "Node.js is not here; these scenarios run in it"
    ours = {
        "STREAM_URL": served.url,
        "STREAM_KEY": EMBEDDED_API_KEY,
        "STREAM_SECRET": embedded_secret("tests"),
        "STREAM_CLIENT": client,
    }
    outcome = subprocess.run(
        [node, "--test", "--test-reporter=spec", SCENARIOS / "generations.mjs"],
        env={**os.environ, **ours},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
