"""The fields of an activity that partial updates cannot change."""

from __future__ import annotations

from typing import Final

NEVER_SET: Final = frozenset({"id", "time", "foreign_id", "to", "origin"})
"""Fields that identify or place an activity; other calls change some of them."""

NEVER_UNSET: Final = NEVER_SET | {"actor", "verb", "object", "target"}
"""Those, and the ones that every activity has."""
