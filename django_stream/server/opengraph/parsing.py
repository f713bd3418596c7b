"""From the head of a page to its open graph data."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from django_stream.server.extras import MissingExtra
from django_stream.server.opengraph.fetching import Fetched
from django_stream.server.opengraph.texts import text_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

TEXT_LENGTH = 4096
MEDIA_MAX = 20
TAGS_MAX = 500

_TEXTS = ("title", "description", "type", "site", "site_name", "determiner", "locale")
# og:image and its kin open a new entry; what they have in common follows it.
_MEDIA = {"image": "images", "video": "videos", "audio": "audios"}
_DETAILS = frozenset({"secure_url", "width", "height", "type", "alt"})
# Where a page says the same without the protocol.
_ELSEWHERE = {
    "title": ("twitter:title",),
    "description": ("twitter:description", "description"),
    "site": ("twitter:site",),
}

Data = dict[str, Any]


def parse(page: Fetched) -> Data:
    """The fields of the wire; empty when the page says nothing of itself."""
    root = _root(page)
    if root is None:
        return {}
    properties = list(_properties(root))
    data = _texts(root, properties)
    for kind, name in _MEDIA.items():
        if entries := _media(properties, kind, page.url):
            data[name] = entries
    _illustrate(data)
    if not data:
        return {}
    first = dict(reversed(properties))
    data["url"] = _address(page.url, first.get("og:url", "")) or page.url
    if icon := _icon(root, page.url):
        data["favicon"] = icon
    if "images" not in data and (image := _address(page.url, first.get("twitter:image", ""))):
        data["images"] = [{"image": image, "url": image}]
    return data


def _root(page: Fetched) -> HtmlElement | None:
    try:
        from lxml import etree, html
    except ImportError as error:
        raise MissingExtra("og/ needs lxml", "opengraph") from error
    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    text = text_of(page.head, page.charset)
    try:
        root: HtmlElement | None = html.document_fromstring(text.encode(errors="replace"), parser=parser)
    except etree.ParserError:  # nothing in it is HTML
        return None
    return root


def _properties(root: HtmlElement) -> Iterator[tuple[str, str]]:
    for meta in islice(root.iter("meta"), TAGS_MAX):
        name = meta.get("property") or meta.get("name") or ""
        content = (meta.get("content") or "").strip()[:TEXT_LENGTH]
        if name and content:
            yield name.strip().lower(), content


def _texts(root: HtmlElement, properties: list[tuple[str, str]]) -> Data:
    first = dict(reversed(properties))
    data: Data = {}
    for field in _TEXTS:
        for name in (f"og:{field}", *_ELSEWHERE.get(field, ())):
            if name in first:
                data.setdefault(field, first[name])
    title = root.find(".//title")
    if "title" not in data and title is not None and (text := (title.text or "").strip()):
        data["title"] = text[:TEXT_LENGTH]
    return data


def _media(properties: list[tuple[str, str]], kind: str, base: str) -> list[Data]:
    entries: list[Data] = []
    for name, content in properties:
        if name in (f"og:{kind}", f"og:{kind}:url"):
            address = _address(base, content)
            if address and not (entries and entries[-1].get(kind) == address):
                entries.append({kind: address, "url": address})
        elif entries and name.startswith(f"og:{kind}:"):
            _detail(entries[-1], name.rpartition(":")[2], content, base)
    return entries[:MEDIA_MAX]


def _detail(entry: Data, name: str, content: str, base: str) -> None:
    if name in ("width", "height"):
        if content.isascii() and content.isdigit() and len(content) < 10:
            entry.setdefault(name, content)
    elif name == "secure_url":
        if address := _address(base, content):
            entry.setdefault(name, address)
    elif name in _DETAILS:
        entry.setdefault(name, content)


def _illustrate(data: Data) -> None:
    """The document's videos carry the address of the page's image."""
    for video in data.get("videos", ()):
        if images := data.get("images"):
            video["image"] = images[0]["image"]


def _icon(root: HtmlElement, base: str) -> str:
    for link in root.iter("link"):
        if "icon" in (link.get("rel") or "").lower().split():
            return _address(base, link.get("href") or "")
    return ""


def _address(base: str, text: str) -> str:
    """An absolute address that a browser may open without running anything; else nothing."""
    if not text:
        return ""
    try:
        absolute = urljoin(base, text.strip())
        return absolute if urlsplit(absolute).scheme in ("http", "https") else ""
    except ValueError:
        return ""
