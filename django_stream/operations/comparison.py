"""What is compared, and what came of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django_stream.client.encoding import plain
from django_stream.protocol.activity_fields import ADDED
from django_stream.publishing.publisher import Record

DifferenceKind = Literal["missing", "extra", "stale", "misplaced", "unreadable", "server"]

UNREADABLE = "unreadable"
"""The state of what a row's own code does not tell."""

_encoded = json.JSONEncoder(sort_keys=True, allow_nan=False, default=plain).encode


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in one place, and what it is like there."""

    place: str
    """A feed, or where else the API keeps things of this kind."""
    thing: str
    state: str = ""
    label: str = ""
    """Whose it is, as far as that is known: the publisher's, and the object's key."""
    key: str = ""
    record: Record | None = None
    """How it is found again in the feeds."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something by which the feeds differ from the tables.

    "missing" and "extra" are told from the feeds' side; "stale" has another content; "misplaced" is
    extra in this place and missing in another; of an "unreadable" row its own code fails; "server" is a
    fault inside of the embedded server.
    """

    kind: DifferenceKind
    place: str
    thing: str
    label: str = ""
    key: str = ""
    record: Record | None = None

    def __str__(self) -> str:
        return f"{self.kind:<10} {self.place}  {self.thing}"


def activity_state(activity: Mapping[str, Any]) -> str:
    """A digest of an activity as it was sent or as it is answered."""
    content = {name: value for name, value in activity.items() if value is not None and name not in ADDED}
    if not content.get("target"):
        # Without one, the API answers an empty text.
        content.pop("target", None)
    to = content.pop("to", None)
    return state_of([content, sorted(map(str, to or ()))])


def state_of(content: Any) -> str:
    """A digest of anything that JSON can carry, which equals that of what the API answers for it."""
    return hashlib.blake2b(_encoded(content).encode(), digest_size=12).hexdigest()
