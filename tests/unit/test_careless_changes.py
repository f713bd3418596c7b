"""The list of careless changes is in step with the code that it changes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LIST = ROOT / ".ci" / "careless.toml"


@pytest.mark.skipif(not LIST.exists(), reason="the list comes with the repository alone")
def test_each_place_is_still_there() -> None:
    kinds = tomllib.loads(LIST.read_text())
    places = [(file, text) for kind in kinds.values() for file, text, _ in kind["changes"]]
    texts = {file: (ROOT / "django_stream" / file).read_text() for file, _ in places}
    assert [(file, text) for file, text in places if text not in texts[file]] == []
    missing = [test for kind in kinds.values() for test in kind["tests"] if not (ROOT / test).exists()]
    assert missing == []
