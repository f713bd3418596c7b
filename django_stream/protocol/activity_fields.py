"""The fields of an activity that have rules of their own."""

from __future__ import annotations

from typing import Final

ADDED: Final = frozenset(
    {
        *("id", "origin", "duration", "reaction_counts", "latest_reactions", "latest_reactions_extra"),
        *("own_reactions", "own_children", "first_reactions"),
    }
)
"""Fields that the server adds to its answers. Clients post activities back as they read them, so that these
are ignored in what is posted."""

_IDENTITY: Final = frozenset({"id", "time", "foreign_id", "to", "origin"})

NEVER_SET: Final = _IDENTITY | ADDED
"""Fields that no partial update sets: they identify or place an activity, or are added to it. Other calls
change some of them."""

NEVER_UNSET: Final = _IDENTITY | {"actor", "verb", "object", "target"}
"""Fields that no partial update removes."""
