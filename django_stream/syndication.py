"""Public feeds for other programs: Atom, JSON Feed and Activity Streams 2.0."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from django.db import models
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.feedgenerator import Atom1Feed
from django.views import View

from django_stream.database.failures import spoils_the_rest
from django_stream.feeds.enrichment import EnrichedActivity
from django_stream.feeds.paging import FeedReader
from django_stream.protocol.wire import members
from django_stream.rendering.plain_words import harmless, web_address
from django_stream.rendering.templates import render

__all__ = ["ActivityStreamsView", "AtomView", "JsonFeedView"]

logger = logging.getLogger("django_stream.feeds")

_VOCABULARY = "https://www.w3.org/ns/activitystreams"
# What XML cannot hold, not even escaped.
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_TYPES = {"post": "Create", "publish": "Create", "share": "Announce"} | {
    name.lower(): name
    for name in ("Accept", "Add", "Announce", "Create", "Delete", "Follow", "Invite", "Join", "Leave", "Like")
}


class _FeedView(View):
    """A feed as visitors see it, whoever asks: caches and readers of feeds hand it on."""

    reader: Callable[..., FeedReader] | None = None
    """Takes the request and what the address captures, and returns the reader of a feed."""
    title = ""
    limit = 25
    template_prefix = "syndicated"

    def get(self, request: HttpRequest, **captures: Any) -> HttpResponse:
        if self.reader is None:
            raise TypeError(f"{type(self).__name__} needs a reader: as_view(reader=…)")
        cursor = request.GET.get("cursor") or None
        page = self.reader(request, **captures).seen_by(None).page(limit=self.limit, cursor=cursor)
        entries = [*self._items(request, page)]
        here = request.build_absolute_uri(request.path)
        return self.answer(here, entries, f"{here}?cursor={quote(page.next)}" if page.next else None)

    def _items(self, request: HttpRequest, page: Iterable[EnrichedActivity]) -> Iterator[dict[str, Any]]:
        """What can be told of a page: a row whose own code fails is left out, and logged.

        So is what was erased, and has kept nothing but its place.
        """
        for entry in page:
            try:
                if _newest(entry)["actor"] != "":
                    yield self.item(request, entry)
            except Exception as error:  # the models' own code
                if spoils_the_rest(error):
                    raise
                logger.exception("activity %s is left out of a public feed", entry.get("id"))

    def answer(self, here: str, items: list[dict[str, Any]], following: str | None) -> HttpResponse:
        raise NotImplementedError(f"{type(self).__name__}.answer() must return a response")

    def item(self, request: HttpRequest, entry: EnrichedActivity) -> dict[str, Any]:
        """What the three forms are made of; override it to say it in other words.

        The HTML is that of the activity's template, with the prefix `syndicated` where there is such a one,
        and without the request: a visitor's page has no buttons.
        """
        newest = _newest(entry)
        return {
            "id": f"urn:uuid:{newest['id']}",
            "title": harmless(f"{newest['actor']} {newest['verb']} {newest['object']}"),
            "html": _NO_XML.sub("", render(entry, {}, self.template_prefix)),
            "url": _url_of(request, newest["object"]),
            "time": newest["time"],
            "verb": newest["verb"],
            **{name: _thing(request, newest.get(name)) for name in ("actor", "object", "target")},
        }


class AtomView(_FeedView):
    """Atom 1.0: `path("atom/", AtomView.as_view(reader=…, title="News"))`."""

    def answer(self, here: str, items: list[dict[str, Any]], following: str | None) -> HttpResponse:
        feed = Atom1Feed(self.title, link=here, description="", feed_url=here)
        for item in items:
            feed.add_item(
                item["title"],
                item["url"] or here,
                item["html"],
                unique_id=item["id"],
                author_name=item["actor"]["name"],
                pubdate=item["time"],
                updateddate=item["time"],
            )
        answer = HttpResponse(content_type="application/atom+xml; charset=utf-8")
        feed.write(answer, "utf-8")
        return answer


class JsonFeedView(_FeedView):
    """JSON Feed 1.1."""

    def answer(self, here: str, items: list[dict[str, Any]], following: str | None) -> HttpResponse:
        body = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": self.title,
            "feed_url": here,
            "items": [
                _filled(
                    {
                        "id": item["id"],
                        "url": item["url"],
                        "title": item["title"],
                        "content_html": item["html"],
                        "date_published": item["time"].isoformat(),
                        "authors": [
                            _filled({"name": item["actor"]["name"], "url": item["actor"].get("url")})
                        ],
                    }
                )
                for item in items
            ],
        }
        answer = _filled(body | {"next_url": following})
        return JsonResponse(answer, content_type="application/feed+json")


class ActivityStreamsView(_FeedView):
    """Activity Streams 2.0: a page of an ordered collection."""

    def answer(self, here: str, items: list[dict[str, Any]], following: str | None) -> HttpResponse:
        body = {
            "@context": _VOCABULARY,
            "type": "OrderedCollectionPage",
            "id": here,
            "name": self.title,
            "next": following,
            "orderedItems": [self._activity(item) for item in items],
        }
        return JsonResponse(_filled(body), content_type="application/activity+json")

    def _activity(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return _filled(
            {
                "type": _TYPES.get(str(item["verb"]).lower(), "Activity"),
                "id": item["id"],
                "actor": {"type": "Person", **item["actor"]},
                "object": {"type": "Object", **item["object"]},
                "target": {"type": "Object", **item["target"]} if item["target"] else None,
                "summary": item["title"],
                "content": item["html"],
                "url": item["url"],
                "published": item["time"].isoformat(),
            }
        )


def _newest(entry: EnrichedActivity) -> Mapping[str, Any]:
    """The activity that stands for an entry: of a group, the newest that was not erased."""
    some = members(entry)
    return next((one for one in some if one["actor"] != ""), some[0])


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _thing(request: HttpRequest, value: Any) -> dict[str, Any]:
    """The name of what took part, and its address on this site if it has one."""
    if value in (None, ""):
        return {}
    return _filled({"name": harmless(str(value)), "url": _url_of(request, value)})


def _url_of(request: HttpRequest, value: Any) -> str | None:
    url = getattr(value, "get_absolute_url", None) if isinstance(value, models.Model) else None
    # A row may hold an address that its author wrote: `javascript:` leads nowhere.
    return web_address(request.build_absolute_uri(str(url()))) or None if url else None
