"""What is in an e-mail, and how it reads."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.text import Truncator

from django_stream.database.failures import or_else
from django_stream.feeds.enrichment import EnrichedActivity
from django_stream.feeds.manager import feed_manager
from django_stream.feeds.paging import FeedReader
from django_stream.notifications.entries import updated_at
from django_stream.notifications.lens import EmailLens
from django_stream.notifications.unsubscribing import site_url, unsubscribe_url
from django_stream.protocol.wire import members
from django_stream.rendering.plain_words import harmless, web_address
from django_stream.rendering.templates import render

logger = logging.getLogger("django_stream.notifications")

_FOLDER = "django_stream/notifications"
_LONGEST = 200


class NothingToTell(Exception):
    """The code of every row that the e-mail would tell of fails."""


class Digest:
    """The e-mail of one user, of what was neither seen nor mailed. Subclass it to change what it says.

    Name the subclass in STREAM_NOTIFICATIONS_DIGEST_CLASS.
    """

    limit = 20
    """Entries in one e-mail; the rest is found on the site."""
    template_prefix = "mail"

    def __init__(self, user: Any, since: datetime) -> None:
        self.user = user
        self._lens = EmailLens(user)
        feed = feed_manager.get_notification_feed(user)
        reader = FeedReader(feed, viewer=user, through=lambda *_: self._lens)
        page = reader.page(limit=self.limit)
        self.entries: Sequence[EnrichedActivity] = [
            one for one in page if not one.get("is_seen") and updated_at(one) > since
        ]
        self.has_more = len(self.entries) == len(page) and page.next is not None
        self.until = max(map(updated_at, self.entries), default=since)

    def language(self) -> str:
        """The language of the e-mail: by default that of the settings."""
        return translation.get_language() or "en"

    def address(self) -> str:
        """Where it goes; "" for a user without an address."""
        return str(getattr(self.user, self.user.get_email_field_name(), "") or "")

    def message(self) -> EmailMultiAlternatives:
        """The whole e-mail, in both forms and with the headers by which mail programs unsubscribe.

        NothingToTell where no entry can be told.
        """
        link = unsubscribe_url(self.user)
        with translation.override(self.language()):
            values = self.context() | {"unsubscribe_url": link}
            if self.entries and not values["entries"]:
                raise NothingToTell(f"nothing of {len(self.entries)} notifications can be told")
            subject = " ".join(render_to_string(f"{_FOLDER}/digest_subject.txt", values).split())
            message = EmailMultiAlternatives(
                subject,
                render_to_string(f"{_FOLDER}/digest.txt", values),
                to=[self.address()],
                headers={
                    "List-Unsubscribe": f"<{link}>",
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                    "Auto-Submitted": "auto-generated",
                },
            )
            message.attach_alternative(render_to_string(f"{_FOLDER}/digest.html", values), "text/html")
        return message

    def context(self) -> dict[str, Any]:
        """What the templates see."""
        return {
            "user": self.user,
            "entries": [told for one in self.entries if (told := self._told(one)) is not None],
            "has_more": self.has_more,
            "site_url": site_url(),
            "language": translation.get_language(),
        }

    def _told(self, activity: EnrichedActivity) -> dict[str, Any] | None:
        """What an e-mail can tell of: a row whose own code fails is left out, and logged."""
        message = "activity %s is left out of an e-mail"
        return or_else(None, lambda: self.entry(activity), logger, message, activity.get("id"))

    def entry(self, activity: EnrichedActivity) -> dict[str, Any]:
        """One notification. Its HTML is that of its template, with the prefix `mail` where there is one."""
        newest = members(activity)[0]
        names = ("actor", "verb", "object", "target")
        html = render(activity, {"user": self.user}, self.template_prefix)
        return {
            "activity": activity,
            # Rendered with autoescape; what is taken out is no markup.
            "html": mark_safe(harmless(html)),  # noqa: S308
            **{name: self._in_words(newest.get(name)) for name in names},
            "others": max(0, int(activity.get("actor_count", 1)) - 1),
            "has_more": bool(activity.get("has_more")),
            "url": or_else(
                "", lambda: _url_of(newest), logger, "activity %s has no address", newest.get("id")
            ),
        }

    def name_of(self, value: Any) -> str:
        """How an actor, an object or a verb is called in the text; it is made one safe line afterwards."""
        return str(value)

    def _in_words(self, value: Any) -> str:
        return "" if value is None else in_words(self.name_of(value))

    def was_sent(self) -> None:
        """Note what the e-mail told of: it is not new again when it is done again."""
        self._lens.tell_by_email(one["id"] for one in self.entries)


def in_words(value: Any) -> str:
    """A text of one line, whatever people wrote; "" for nothing."""
    words = "" if value is None else " ".join(harmless(str(value)).split())
    return Truncator(words).chars(_LONGEST)


def _url_of(activity: Mapping[str, Any]) -> str:
    """The address of the object of an activity, if it has one on this site."""
    path = getattr(activity["object"], "get_absolute_url", None)
    return web_address(site_url(str(path()))) if callable(path) else ""
