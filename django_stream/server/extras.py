"""Optional packages: an error that says which extra of the project brings them."""

from __future__ import annotations


class MissingExtra(ImportError):
    """What was asked for needs an optional package; the message is the command that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what}: pip install 'django-stream-feeds[{extra}]'")
