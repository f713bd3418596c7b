"""What every timeline must hold, computed from the files alone, and compared with the feeds."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User

from django_stream.feeds import feed_manager
from example_project.history import source

DEPTH = 100
"""Entries compared from the top of each timeline: a whole page, and what one follow copies."""

Entry = tuple[datetime, str]


@dataclass(slots=True)
class Outcome:
    """Timelines compared, entries found in them, and the authors whose timeline is wrong."""

    timelines: int = 0
    entries: int = 0
    wrong: list[str] = field(default_factory=list)


def check(folder: Path) -> Outcome:
    """Compare the timelines of all authors."""
    outcome = Outcome()
    users = dict(User.objects.filter(username__startswith="author-").values_list("username", "pk"))
    for author, expected in expected_timelines(folder):
        name = source.username(author)
        actual = _read(users[name])
        outcome.timelines += 1
        outcome.entries += len(actual)
        if not same(expected, actual):
            outcome.wrong.append(name)
    return outcome


def expected_timelines(folder: Path) -> Iterator[tuple[int, list[Entry]]]:
    """For each author the newest commits of those followed, and all that share the last one's time."""
    commits: dict[int, list[Entry]] = defaultdict(list)
    for line in source.commits(folder):
        commits[line.author].append((line.time, f"history.Commit:{line.sha}"))
    for entries in commits.values():
        entries.sort(reverse=True)
    followed: dict[int, list[int]] = defaultdict(list)
    for pair in source.follows(folder):
        followed[pair.follower].append(pair.followed)
    for author in sorted(commits.keys() | followed.keys()):
        merged = heapq.merge(*(commits[other] for other in followed[author]), reverse=True)
        yield author, list(_top(merged))


def _top(merged: Iterable[Entry]) -> Iterator[Entry]:
    count = 0
    for _, together in groupby(merged, key=lambda entry: entry[0]):
        if count >= DEPTH:
            return
        for entry in together:
            count += 1
            yield entry


def same(expected: list[Entry], actual: list[Entry]) -> bool:
    """The same times in the same order, and at each time the same commits.

    Which of several commits at the last time made it into the page is the feed's choice.
    """
    if len(actual) != min(len(expected), DEPTH):
        return False
    if [entry[0] for entry in actual] != [entry[0] for entry in expected[: len(actual)]]:
        return False
    if len(set(actual)) != len(actual):
        return False
    last = actual[-1][0] if actual else None
    whole = {entry for entry in expected if entry[0] != last}
    return whole == {entry for entry in actual if entry[0] != last} and set(actual) <= set(expected)


def _read(user_id: Any) -> list[Entry]:
    results = feed_manager.get_feed("timeline", user_id).get(limit=DEPTH)["results"]
    return [(activity["time"], activity["foreign_id"]) for activity in results]
