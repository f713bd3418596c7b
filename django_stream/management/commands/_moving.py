"""What the commands share that bring feeds from elsewhere: the outcome, and how far a copy has come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django_stream.client import StreamClient
from django_stream.management.commands._family import FamilyCommand
from django_stream.moving.copying import Copy
from django_stream.moving.homes import Home
from django_stream.moving.sending import Destination, Outcome
from django_stream.publishing.models import Checkpoint


def tell_outcome(command: FamilyCommand, outcome: Outcome, done: str) -> None:
    """What was sent, what was left out and why; with refusals the command ends with exit code 1."""
    for reason, count in outcome.left_out.items():
        if count:
            command.tell(f"{count} left out: {reason}", left_out=count, reason=reason)
    for note, count in outcome.notes.items():
        command.tell(f"{count} {note}", sent=count, note=note)
    for what, count in outcome.further.items():
        if count:
            command.tell(f"{count} {what} {done}", sent=count, what=what)
    if outcome.hidden:
        labels = ", ".join(f'"{label}"' for label in sorted(outcome.hidden))
        command.tell(
            f"Pages show their rows once ready() of an app calls tracking.show({labels}).",
            hidden=sorted(outcome.hidden),
        )
    command.conclude(
        f"{outcome.follows} follows and {outcome.activities} activities {done}",
        remaining=f"{outcome.refused} activities were refused by the API" if outcome.refused else "",
        follows=outcome.follows,
        activities=outcome.activities,
        left_out=outcome.left_out,
        refused=outcome.refused,
    )


def copy_home(
    source: StreamClient,
    target: StreamClient,
    outcome: Outcome,
    feeds: Sequence[str],
    options: dict[str, Any],
) -> None:
    """Copy one home to another; with `resume` from where an equal copy was killed."""
    using, dry_run = options["database"], options["dry_run"]
    # Another home, another key, other feeds: then nothing is known of how far it has come.
    what = {"from": source.api_key, "to": target.api_key, "feeds": sorted(feeds)}
    rows = Checkpoint.objects.using(using).filter(name="stream_move")
    row = rows.first() if options["resume"] else None
    place = row.position if row and row.options == what and row.position else {}

    def save(position: dict[str, Any]) -> None:
        if not dry_run:
            defaults = {"options": what, "position": position}
            Checkpoint.objects.using(using).update_or_create(name="stream_move", defaults=defaults)

    Copy(Home(source), Destination(target, outcome, dry_run=dry_run), using, feeds, place, save).run()
    if not dry_run:
        rows.delete()
