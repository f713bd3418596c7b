"""A reaction with target feeds is shown on them as an activity, one and the same on all of them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from django_stream.database.batches import batched
from django_stream.protocol import references
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.times import format_activity_time
from django_stream.server import feed_store
from django_stream.server.actions import placements, removals
from django_stream.server.activity_input import ActivityInput, activity_inputs, key_of
from django_stream.server.events.event import called_by
from django_stream.server.models import Reaction
from django_stream.server.reads.serializers import aware

# Reactions whose activities are put on feeds, or taken off, at once. Each may be on feeds of its own, and
# statements look for every activity on every feed.
_AT_ONCE = 250


def lock_feeds(application_id: int, names: Collection[str]) -> None:
    """Lock feeds all at once and in id order, before they are written to one by one."""
    if names:
        wanted = feed_store.ensure(application_id, {FeedID.parse(name) for name in names})
        feed_store.lock(wanted.values())


def place(reactions: Sequence[Reaction]) -> None:
    """Put the activities of these reactions on their target feeds, or replace them there."""
    for part in batched(_with_targets(reactions), _AT_ONCE):
        wanted: dict[FeedID, list[ActivityInput]] = {}
        for row in part:
            activity = target_activity(row)
            for name in row.target_feeds:
                wanted.setdefault(FeedID.parse(name), []).append(activity)
        # The application's own doing: a parent that comes back brings the children of others along.
        with called_by(""):
            placements.add_each(part[0].application_id, wanted)


def withdraw(reactions: Sequence[Reaction], keeping: Collection[str] = ()) -> None:
    """Take the activities of these reactions off their target feeds, except those to keep."""
    rows = _with_targets(reactions)
    for part in batched(rows, _AT_ONCE):
        wanted: dict[FeedID, list[uuid.UUID]] = {}
        for row in part:
            for name in row.target_feeds:
                if name not in keeping:
                    wanted.setdefault(FeedID.parse(name), []).append(key_of_target(row))
        removals.remove_from(rows[0].application_id, wanted)


def _with_targets(reactions: Sequence[Reaction]) -> list[Reaction]:
    """Those that have target feeds; all these feeds are locked now."""
    listed = [row for row in reactions if row.target_feeds]
    if listed:
        lock_feeds(listed[0].application_id, {name for row in listed for name in row.target_feeds})
    return listed


def target_activity(reaction: Reaction) -> ActivityInput:
    """The activity, checked like any other that is posted."""
    own = {
        "actor": references.user_reference(reaction.user_id),
        "verb": reaction.kind,
        "object": references.activity_reference(reaction.activity),
        "target": "",
        "foreign_id": f"reaction:{reaction.reaction_id}",
        "time": format_activity_time(aware(reaction.created_at)),
        "reaction": references.reaction_reference(reaction.reaction_id),
        "to": None,
    }
    return activity_inputs([{**(reaction.target_feeds_extra_data or {}), **own}], reaction.application_id)[0]


def key_of_target(reaction: Reaction) -> uuid.UUID:
    """Key of that activity, also after its extra data are gone."""
    return key_of(f"reaction:{reaction.reaction_id}", aware(reaction.created_at))
