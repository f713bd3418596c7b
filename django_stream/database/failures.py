"""Which failures of code that reads one row concern more than that row."""

from __future__ import annotations

from django.db import DatabaseError, InterfaceError, OperationalError, connections


def spoils_the_rest(error: Exception) -> bool:
    """Whether what failed for one row fails for the others too.

    The database is out of reach, or the transaction is spoiled in which the failed statement ran. A page
    without its rows would look as if there were none.
    """
    if any(one.in_atomic_block for one in connections.all(initialized_only=True)):
        return isinstance(error, (DatabaseError, InterfaceError))
    return isinstance(error, (OperationalError, InterfaceError))
