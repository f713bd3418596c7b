"""Words of people in places that know no markup: titles, names and lines of an e-mail."""

from __future__ import annotations

import re

# Controls, surrogates, and marks by which a text changes the direction of what stands after it.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def harmless(text: str) -> str:
    """The text without what acts on the text around it, and what XML cannot hold."""
    return _UNSAFE.sub("", text)


def web_address(url: str) -> str:
    """An address of the web; "" for `javascript:` and everything else that is none."""
    return url if url.startswith(("http://", "https://")) else ""
