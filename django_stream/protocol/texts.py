"""Which texts can be stored and sent at all."""

from __future__ import annotations


def is_text(value: str) -> bool:
    """Whether every database takes a text: no null characters, and no halves of surrogate pairs."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value
