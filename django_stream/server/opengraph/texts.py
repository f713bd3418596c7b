"""From the bytes of a page to its text, by the labels that browsers know (the WHATWG's encoding standard).

Python's own names will not do: `gb2312` is read as gbk on the web and `iso-8859-1` as windows-1252,
and some codecs of Python are none for text.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from django_stream.server.extras import MissingExtra

if TYPE_CHECKING:
    from webencodings import Encoding

# Anybody writes pages: nothing here looks twice at what has led nowhere.
_META = re.compile(rb"<meta\b", re.IGNORECASE)
_CHARSET = re.compile(rb"[\s\"'/;]charset\s*+=\s*+[\"']?+\s*+([^\s\"'/>;]++)", re.IGNORECASE)
# What a page can only say by mistake, for it was readable as something like ASCII.
_MEANT = {"utf-16le": "utf-8", "utf-16be": "utf-8", "x-user-defined": "windows-1252"}
# Control characters mean nothing in a title, and some readers stop at them.
_CONTROLS = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - set(b"\t\n\r"))


def text_of(page: bytes, label: str | None) -> str:
    """The text of a page: by its byte order mark, else by its server's label, else by its own.

    A page without any label is UTF-8 if it can be, else windows-1252. What is no text is left out.
    """
    try:
        from webencodings import decode
    except ImportError as error:
        raise MissingExtra("og/ needs webencodings", "opengraph") from error
    text, _ = decode(page, _known(label or "") or _meta(page) or _guessed(page), errors="replace")
    return str(text).translate(_CONTROLS)


def _known(label: str) -> Encoding | None:
    from webencodings import lookup

    return lookup(label) if label.isascii() else None


def _meta(page: bytes) -> Encoding | None:
    """The label in a page's own head."""
    text, place = _without_comments(page), 0
    while (tag := _META.search(text, place)) is not None:
        end = text.find(b">", tag.end())
        place = len(text) if end < 0 else end
        label = _CHARSET.search(text, tag.end(), place)
        if label is not None and (found := _known(label[1].decode("ascii", "replace"))) is not None:
            return _known(_MEANT.get(found.name, found.name))
    return None


def _without_comments(page: bytes) -> bytes:
    """What browsers read of a page; a comment that does not end is none."""
    parts, place = [], 0
    while (start := page.find(b"<!--", place)) >= 0:
        end = page.find(b"-->", start + 4)
        if end < 0:
            break
        parts.append(page[place:start])
        place = end + 3
    return b"".join([*parts, page[place:]])


def _guessed(page: bytes) -> str:
    try:
        # It may be cut off inside of a character.
        codecs.getincrementaldecoder("utf-8")().decode(page)
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"
