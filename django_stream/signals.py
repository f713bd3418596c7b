"""Signals for those who want to know what became of a change.

Each is sent with `sender` (the model's class), `keys` (texts, primary keys for activities) and
`using` (the database alias); the last two also with `reasons` ({key: exception}).
"""

from django.dispatch import Signal

changes_published = Signal()
changes_failed = Signal()
"""They will be tried again."""
changes_parked = Signal()
"""They will not be tried again until the object changes or somebody retries them."""
