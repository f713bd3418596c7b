"""Loading the history through the models: every commit and follow travels the whole path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from django.contrib.auth.models import User
from django.db import transaction

from example_project.history import source
from example_project.history.models import Commit
from example_project.social.models import Follow

_BATCH = 1000


@dataclass(slots=True)
class Progress:
    """Events read so far, and rows that were not there before."""

    read: int = 0
    commits: int = 0
    follows: int = 0


def load(folder: Path) -> Iterator[Progress]:
    """Load what is missing, batch by batch; a run that was stopped continues where it was."""
    people = _People(_authors(folder))
    progress = Progress()
    events = source.events(folder)
    while batch := list(islice(events, _BATCH)):
        commits = [event for event in batch if isinstance(event, source.CommitLine)]
        follows = [event for event in batch if isinstance(event, source.FollowLine)]
        with transaction.atomic():
            progress.commits += _load_commits(commits, people)
            progress.follows += _load_follows(follows, people)
        progress.read += len(batch)
        yield progress


def _authors(folder: Path) -> list[int]:
    followers = {number for line in source.follows(folder) for number in (line.follower, line.followed)}
    return sorted(followers | {line.author for line in source.commits(folder)})


class _People(dict[int, int]):
    """Primary keys of the users by author number; the missing users are made."""

    def __init__(self, authors: Iterable[int]) -> None:
        names = {source.username(author): author for author in authors}
        User.objects.bulk_create(
            [User(username=name, password="!") for name in names], ignore_conflicts=True, batch_size=_BATCH
        )
        known = dict(User.objects.filter(username__startswith="author-").values_list("username", "pk"))
        super().__init__({author: known[name] for name, author in names.items()})


def _load_commits(lines: list[source.CommitLine], people: _People) -> int:
    shas = [line.sha for line in lines]
    there = set(Commit.objects.filter(sha__in=shas).values_list("sha", flat=True))
    missing = [
        Commit(
            sha=line.sha,
            author_id=people[line.author],
            time=line.time,
            subject=line.subject,
            areas=list(line.areas),
            files=line.files,
        )
        for line in lines
        if line.sha not in there
    ]
    Commit.objects.bulk_create(missing)
    return len(missing)


def _load_follows(lines: list[source.FollowLine], people: _People) -> int:
    pairs = {(people[line.follower], people[line.followed]): line.time for line in lines}
    there = set(
        Follow.objects.filter(follower__in=[pair[0] for pair in pairs]).values_list(
            "follower_id", "followed_id"
        )
    )
    missing = [
        Follow(follower_id=pair[0], followed_id=pair[1], created_at=since)
        for pair, since in pairs.items()
        if pair not in there
    ]
    Follow.objects.bulk_create(missing)
    return len(missing)
