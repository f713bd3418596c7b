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


@dataclass(frozen=True, slots=True)
class Answer:
    """A comment on the post that begins with some words."""

    post: str
    hours: float
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A painted picture for a post."""

    post: str
    name: str
    alt: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What the page that a post links to says of itself."""

    post: str
    title: str
    description: str
    site_name: str
    url: str


PASSWORD: str = _CONTENT["password"]
GUIDE: str = _CONTENT["guide"]
PEOPLE = [Person(*row) for row in _CONTENT["people"]]
SAYINGS = [Saying(*row) for row in _CONTENT["posts"]]
WORKS = [Work(*row) for row in _CONTENT["commits"]]
ANSWERS = [Answer(*row) for row in _CONTENT["comments"]]
PICTURES = [Picture(*row) for row in _CONTENT["pictures"]]
PREVIEWS = [Preview(*row) for row in _CONTENT["previews"]]
PRIVATE: str = _CONTENT["private"]
ASKING: list[str] = _CONTENT["asking"]
