"""The demo's people and what they say, read from `demo.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

_CONTENT = tomllib.loads(Path(__file__).with_name("demo.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the demo, and the usernames of those they follow."""

    username: str
    first_name: str
    last_name: str
    follows: str


@dataclass(frozen=True, slots=True)
class Saying:
    """A post, so many hours before the demo is loaded."""

    hours: float
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Work:
    """A commit, so many hours before the demo is loaded."""

    hours: float
    author: str
    subject: str
    areas: list[str]
    files: int


PASSWORD: str = _CONTENT["password"]
GUIDE: str = _CONTENT["guide"]
PEOPLE = [Person(*row) for row in _CONTENT["people"]]
SAYINGS = [Saying(*row) for row in _CONTENT["posts"]]
WORKS = [Work(*row) for row in _CONTENT["commits"]]
