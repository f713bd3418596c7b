"""A transaction that was the victim of a deadlock is run again: the database has undone all of it.

Locks are taken in one order wherever the order can be known. In the outbox, a worker that was overtaken
inserts rows again that were deleted meanwhile; on the server, the groups that a change concerns are
found one after the other. A rare second run costs less than one more lock for everybody.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connections

Given = ParamSpec("Given")
Result = TypeVar("Result")

_TRIES = 5
# As SQL names them: deadlock_detected.
_DEADLOCK = "40P01"


def retry_on_deadlock(work: Callable[Given, Result]) -> Callable[Given, Result]:
    """Do the work, which owns its transaction, again if it was the victim of a deadlock."""

    @wraps(work)
    def again(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        for _ in range(_TRIES - 1):
            try:
                return work(*args, **kwargs)
            except OperationalError as error:
                if _code(error) != _DEADLOCK or _inside_a_transaction():
                    raise
        return work(*args, **kwargs)

    return again


def _inside_a_transaction() -> bool:
    """Then the whole of it was undone, and only whoever began it can run it again."""
    return any(connections[name].in_atomic_block for name in connections)


def _code(error: OperationalError) -> str | None:
    """The SQLSTATE, by the name that the driver gives it."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
