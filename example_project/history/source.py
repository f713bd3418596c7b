"""Reading the history's two files, oldest event first and one line at a time."""

from __future__ import annotations

import csv
import gzip
import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, cast

SAMPLE = Path(__file__).resolve().parent / "sample"
_COMMITS = "commits.ndjson"
_FOLLOWS = "follows.csv"


@dataclass(frozen=True, slots=True)
class CommitLine:
    """One commit of the file; `author` is a number."""

    time: datetime
    sha: str
    author: int
    subject: str
    areas: tuple[str, ...]
    files: int


@dataclass(frozen=True, slots=True)
class FollowLine:
    """From `time` on, author number `follower` follows number `followed`."""

    time: datetime
    follower: int
    followed: int


def commits(folder: Path) -> Iterator[CommitLine]:
    with _open(folder, _COMMITS) as lines:
        for line in lines:
            row = json.loads(line)
            yield CommitLine(
                datetime.fromisoformat(row["time"]),
                row["sha"],
                row["author"],
                row["subject"],
                tuple(row["areas"]),
                row["files"],
            )


def follows(folder: Path) -> Iterator[FollowLine]:
    with _open(folder, _FOLLOWS) as lines:
        for row in csv.DictReader(lines):
            yield FollowLine(datetime.fromisoformat(row["since"]), int(row["follower"]), int(row["followed"]))


def events(folder: Path) -> Iterator[CommitLine | FollowLine]:
    """Commits and follows in the order in which they happened."""
    return heapq.merge(commits(folder), follows(folder), key=lambda event: event.time)


def username(author: int) -> str:
    return f"author-{author}"


def _open(folder: Path, name: str) -> IO[str]:
    """The file itself, or its gzipped form."""
    plain, packed = folder / name, folder / f"{name}.gz"
    if plain.exists():
        return plain.open(encoding="utf-8", newline="")
    if packed.exists():
        return cast("IO[str]", gzip.open(packed, "rt", encoding="utf-8", newline=""))
    raise FileNotFoundError(f"neither {plain} nor {packed} is there")
