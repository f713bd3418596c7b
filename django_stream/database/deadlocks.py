"""A transaction that was the victim of a deadlock is run again: the database has undone all of it.

Locks are taken in one order wherever the order can be known. In the outbox, a worker that was overtaken
inserts rows again that were deleted meanwhile; on the server, the groups that a change concerns are
found one after the other. A rare second run costs less than one more lock for everybody.

On a Galera cluster, a transaction that wrote the same rows as one on another node is told so likewise, also
by its COMMIT. As nobody waited there, the others may be writing them still: each run begins a little later.
Nobody has a turn there either: whoever commits first wins, so on a busy node, whose runs take long, one may
lose many times in a row.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connections

Given = ParamSpec("Given")
Result = TypeVar("Result")

# Seconds to wait at most before each further run.
_PAUSES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, *[0.4] * 34)
# PostgreSQL's deadlock_detected, and what MariaDB calls it, in SQL and by number.
_DEADLOCKS = {"40P01", "40001", 1213}


def retry_on_deadlock(work: Callable[Given, Result]) -> Callable[Given, Result]:
    """Do the work, which owns its transaction, again if it was the victim of a deadlock."""

    @wraps(work)
    def again(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        for most in _PAUSES:
            try:
                return work(*args, **kwargs)
            except OperationalError as error:
                if not _DEADLOCKS.intersection(_codes(error)) or _inside_a_transaction():
                    raise
            time.sleep(random.uniform(0.0, most))  # noqa: S311  # no secret
        return work(*args, **kwargs)

    return again


def _inside_a_transaction() -> bool:
    """Then the whole of it was undone, and only whoever began it can run it again."""
    return any(connections[name].in_atomic_block for name in connections)


def _codes(error: OperationalError) -> list[object]:
    """The SQLSTATE, by the names that drivers give it, and the number that the error begins with."""
    cause = error.__cause__
    return [getattr(cause, "sqlstate", None), getattr(cause, "pgcode", None), *getattr(cause, "args", ())[:1]]
