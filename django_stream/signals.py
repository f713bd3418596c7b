"""Signals that tell what became of a change, sent after each attempt to publish it.

Each is sent with `sender` (the model's class, None when it is not tracked here), `keys` (texts: primary
keys for activities) and `using` (the database alias); the last two also with `reasons` ({key: exception}).

An object that changes while it is sent is sent again, and reported again. A worker whose lease ran out
reports nothing of what another worker took over; that worker does.
"""

from django.dispatch import Signal

__all__ = ["changes_failed", "changes_parked", "changes_published"]

changes_published = Signal()
"""The feeds have the changes."""
changes_failed = Signal()
"""The changes will be tried again."""
changes_parked = Signal()
"""The changes will not be tried again until the object changes or somebody retries them."""
