"""A transaction that lost a deadlock is run again: the database has undone all of it.

Locks are taken in one order wherever the order can be known: feeds, activities, groups. Which groups
a change concerns is known only bit by bit, so two writers may still meet from opposite sides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connections, router

from django_stream.server.models import Feed

Result = TypeVar("Result")

ATTEMPTS = 5
# As SQL names them: deadlock_detected.
_DEADLOCK = "40P01"


def survived(work: Callable[[], Result]) -> Result:
    """Do the work, which owns its transaction, again if it was the victim of a deadlock."""
    for _ in range(ATTEMPTS - 1):
        try:
            return work()
        except OperationalError as error:
            # Inside somebody's transaction theirs was undone as well.
            if _code(error) != _DEADLOCK or connections[router.db_for_write(Feed)].in_atomic_block:
                raise
    return work()


def _code(error: OperationalError) -> str | None:
    """The SQLSTATE, by the name that the driver gives it."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
