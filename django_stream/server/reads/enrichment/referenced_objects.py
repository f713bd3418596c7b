"""References in the fields of activities, and what takes their place."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django_stream.protocol import wire
from django_stream.protocol.activity_ids import sort_key
from django_stream.server.reads import activities, collections, reactions, serializers
from django_stream.server.reads.answer_size import AnswerSize
from django_stream.server.reads.reaction_rows import ReactionRow

# The wire names no depth: an activity, the one it is about, and the one that is about, in turn.
DEPTH = 3
# A page stays of a size that its activities justify, whatever somebody puts into their fields.
PER_ACTIVITY = 25
_NEVER = frozenset({"id", "time", "origin"})
_TYPES = {"SU": "user", "SO": "object", "SA": "activity", "SR": "reaction"}


class Reference(NamedTuple):
    """One reference, such as `SU:bob` or `SO:food:123`."""

    text: str
    kind: str
    name: str

    @classmethod
    def parse(cls, value: Any) -> Reference | None:
        """Read a field's value; None when it is no reference."""
        if not isinstance(value, str) or value[2:3] != ":" or value[:2] not in _TYPES or len(value) == 3:
            return None
        kind, name = value[:2], value[3:]
        return None if kind == "SO" and not all(name.partition(":")) else cls(value, kind, name)

    @property
    def entry(self) -> tuple[str, str]:
        """Collection and id of an `SO:` reference."""
        collection, _, entry_id = self.name.partition(":")
        return collection, entry_id

    @property
    def canonical(self) -> str:
        """The name as the server writes it: UUIDs come in several spellings."""
        return _as_uuid(self.name) or self.name

    def missing(self) -> wire.MissingObject:
        """What stands in for an object that does not exist."""
        found: wire.MissingObject = {
            "id": self.name,
            "error": "ReferenceNotFound",
            "reference": self.text,
            "reference_type": _TYPES[self.kind],
        }
        if self.kind == "SO":
            found["collection"], found["id"] = self.entry
        return found


def fields_of(activity: wire.Activity) -> list[tuple[str, Reference]]:
    """The fields of an activity that hold a reference, custom ones included."""
    return [
        (name, reference)
        for name, value in activity.items()
        # Most values are none at the first look.
        if isinstance(value, str) and value[2:3] == ":" and name not in _NEVER
        if (reference := Reference.parse(value)) is not None
    ]


@dataclass(slots=True)
class ReferencedObjects:
    """Everything that the activities of an answer refer to, by kind; users come with reactions."""

    fields: dict[str, list[tuple[str, Reference]]] = field(default_factory=dict)
    """The references of each activity, by its id, and the names of the fields that hold them."""
    asked: dict[Reference, None] = field(default_factory=dict)
    """What was looked for, in order. Any other reference stays as it is."""
    entries: collections.Entries = field(default_factory=lambda: collections.Entries(0, ()))
    size: AnswerSize = field(default_factory=AnswerSize)
    activities: dict[str, wire.Activity] = field(default_factory=dict)
    reactions: dict[str, ReactionRow] = field(default_factory=dict)

    @classmethod
    def load(
        cls, application_id: int, listed: Sequence[wire.Activity], size: AnswerSize
    ) -> ReferencedObjects:
        """One query a kind, and one for each depth of nested activities."""
        found = cls(size=size)
        level, left = listed, PER_ACTIVITY * len(listed)
        for _ in range(DEPTH + 1):
            references = found.new_references(level)[:left]
            left -= len(references)
            found.asked |= dict.fromkeys(references)
            nested = {one.canonical for one in references if one.kind == "SA"}
            if not nested:
                break
            more = _activities(application_id, nested)
            found.activities |= more
            level = list(more.values())
        found.entries = collections.Entries(application_id, [one.entry for one in found.of_kind("SO")])
        wanted = {one.canonical for one in found.of_kind("SR")}
        found.reactions = reactions.rows_by_id(application_id, wanted)
        return found

    def new_references(self, level: Sequence[wire.Activity]) -> list[Reference]:
        """The references of these activities that were not asked for yet."""
        self.fields |= {activity["id"]: fields_of(activity) for activity in level}
        fresh = {one: None for activity in level for _, one in self.fields[activity["id"]]}
        return [one for one in fresh if one not in self.asked]

    def of_kind(self, kind: str) -> list[Reference]:
        return [one for one in self.asked if one.kind == kind]

    def entry(self, reference: Reference) -> wire.CollectionEntry[str] | None:
        """A collection entry, as an object of its own."""
        return self.entries.get(reference.entry, self.size)


def _activities(application_id: int, ids: Iterable[str]) -> dict[str, wire.Activity]:
    keys = [sort_key(uuid.UUID(name)) for name in ids if _as_uuid(name)]
    rows = activities.in_order(application_id, keys) if keys else []
    return {activity["id"]: activity for activity in map(serializers.activity, rows)}


def _as_uuid(text: str) -> str | None:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None
