"""What a viewer costs: `visible_to` on two models and 1,000 mutes, against the same page without.

Alone, on the database that DATABASE_URL names: `python -m benchmarks.report.viewers --size 100000`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from benchmarks.report.rows import Row

MUTES, PAGE, MOST = 1000, 25, 1.5


def viewer_rows(reader: User, activities: int, rounds: int) -> Iterator[Row]:
    """A page of the reader's timeline as its viewer, and the same for SEES_ALL, in turns."""
    from benchmarks.report.rows import Row, in_turns, timed
    from django_stream import feeds

    with _hidden_people(reader):
        seen, everything = feeds.timeline(reader), feeds.timeline(reader).seen_by(feeds.SEES_ALL)
        ids = [[one["id"] for one in of.page(limit=PAGE)] for of in (seen, everything)]
        assert ids[0] == ids[1]
        assert len(ids[0]) == PAGE
        found = in_turns(
            {
                "seen": timed(lambda: seen.page(limit=PAGE), 5),
                "everything": timed(lambda: everything.page(limit=PAGE), 5),
            },
            rounds,
        )
    name = f"page of 25 with visible_to on two models and {MUTES:,} mutes, {activities:,} activities"
    yield Row(name, found["seen"], MOST, against="the page without", limit=found["everything"])


@contextmanager
def _hidden_people(reader: User) -> Iterator[None]:
    """Two models say what may be seen, and the reader has muted people whom nobody on the page knows."""
    from django.contrib.auth.models import User
    from django.db.models import Q

    from benchmarks.report.models import Mute, Photo, Post
    from django_stream.activities import relations, visibility
    from django_stream.tracking import register_mutes, register_visibility

    def visible_to(viewer: Any, rows: Any) -> Any:
        return rows.filter(Q(title__startswith="no.") | Q(user=viewer.pk or 0))

    before = dict(relations._relations), dict(visibility._registered)
    strangers = User.objects.exclude(pk=reader.pk).order_by("-pk")[:MUTES]
    Mute.objects.bulk_create(Mute(by=reader, of=one) for one in strangers)
    register_mutes(Mute, by="by", of="of")
    for model in (Post, Photo):
        register_visibility(model, visible_to)
    try:
        yield
    finally:
        Mute.objects.all().delete()
        for held, kept in zip((relations._relations, visibility._registered), before, strict=True):
            held.clear()
            held.update(kept)  # type: ignore[arg-type]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.report.settings"
    django.setup()
    from django.core.management import call_command

    from benchmarks.report import data
    from django_stream.server.models import Application

    call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0, run_syncdb=True)
    Application.objects.get_or_create(id=data.application(), defaults={"name": "report"})
    reader = data.prepare()
    data.fill(reader, options.size)
    met = []
    for row in viewer_rows(reader, options.size, options.rounds):
        print(f"{row.name}: {row.ours:.2f} ms, {row.limit:.2f} ms without, {row.value:.2f} of {row.target:g}")
        met.append(row.met)
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
