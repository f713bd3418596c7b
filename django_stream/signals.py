"""Signals for those who want to know what became of a change.

Each tells how an attempt ended. An object that changes again while it is sent is sent again, and told
of again. A worker that outlived its lease tells nothing of what others took over from it: they do.

Each is sent with `sender` (the model's class), `keys` (texts, primary keys for activities) and
`using` (the database alias); the last two also with `reasons` ({key: exception}).
"""

from django.dispatch import Signal

__all__ = ["changes_failed", "changes_parked", "changes_published"]

changes_published = Signal()
changes_failed = Signal()
"""They will be tried again."""
changes_parked = Signal()
"""They will not be tried again until the object changes or somebody retries them."""
