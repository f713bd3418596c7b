"""Feeds of the signed-in user as JSON."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_204_NO_CONTENT

from django_stream.api.base import StreamView
from django_stream.api.failures import refusals_as_answers
from django_stream.api.marks import read_marks
from django_stream.api.pagination import envelope, read_page
from django_stream.api.serializers import ActivitySerializer
from django_stream.conf import stream_settings
from django_stream.database.failures import spoils_the_rest
from django_stream.feeds.manager import feed_manager
from django_stream.feeds.paging import FeedReader

logger = logging.getLogger("django_stream.api")


class FeedView(StreamView):
    """One's own news, profile or notification feed, enriched; notifications can be marked, too.

    `GET feeds/<slug>/?limit=&cursor=` and `POST feeds/notification/ {"mark_seen": true}`.
    """

    def reader(self, request: Request, slug: str) -> FeedReader:
        """The feed that the URL names, Http404 for none; override it to show other feeds."""
        own = {
            *stream_settings.news_feeds.values(),
            stream_settings.USER_FEED,
            stream_settings.NOTIFICATION_FEED,
        }
        if slug not in own:
            raise Http404(f"there is no feed '{slug}': use one of {', '.join(sorted(own))}")
        return FeedReader(feed_manager.get_feed(slug, request.user))

    def get(self, request: Request, **captures: str) -> Response:
        reader = self.reader(request, **captures).seen_by(request.user)
        with refusals_as_answers():
            page = read_page(reader, request)
        return Response(envelope(page, [*_told(page, request)], request))

    def post(self, request: Request, **captures: str) -> Response:
        reader = self.reader(request, **captures)
        # A subclass may show the notifications of others, but only one's own can be marked.
        user = request.user
        if not user.is_authenticated or reader.feed.id != feed_manager.get_notification_feed(user).id:
            raise MethodNotAllowed("POST", _("Only one's own notifications are marked as seen or read."))
        marks = read_marks(request)
        with refusals_as_answers():
            reader.seen_by(user).mark(**{name.removeprefix("mark_"): ids for name, ids in marks.items()})
        return Response(status=HTTP_204_NO_CONTENT)


def _told(page: Iterable[Any], request: Request) -> Iterator[Any]:
    """The activities as JSON: one whose rows' own code fails is left out, and logged."""
    for activity in page:
        try:
            yield ActivitySerializer(activity, context={"request": request}).data
        except Exception as error:  # serializers and models of the site
            if spoils_the_rest(error):
                raise
            logger.exception("activity %s is left out of a page", activity.get("id"))
