"""Feeds of the signed-in user as JSON."""

from __future__ import annotations

from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from django_stream.client.exceptions import StreamApiException, TransportException
from django_stream.conf import stream_settings
from django_stream.feeds.manager import feed_manager
from django_stream.feeds.paging import BadCursor, FeedReader

from .pagination import envelope, read_page
from .serializers import ActivitySerializer


class FeedsUnavailable(APIException):
    """The home of the feeds gave no answer that can be shown."""

    status_code = 503
    default_detail = _("The feeds cannot be read right now. Please try again.")
    default_code = "feeds_unavailable"


class FeedView(APIView):
    """`GET feeds/<slug>/?limit=&cursor=`: one's own news, profile or notification feed, enriched."""

    permission_classes = (IsAuthenticated,)
    # The browsable form would need the templates of an app that sites may not have installed.
    renderer_classes = (JSONRenderer,)

    def get(self, request: Request, slug: str) -> Response:
        own = {
            *stream_settings.news_feeds.values(),
            stream_settings.USER_FEED,
            stream_settings.NOTIFICATION_FEED,
        }
        if slug not in own:
            raise Http404(f"there is no feed '{slug}': use one of {', '.join(sorted(own))}")
        reader = FeedReader(feed_manager.get_feed(slug, request.user))
        try:
            page = read_page(reader, request)
        except BadCursor as error:
            raise ValidationError({"cursor": [str(error)]}) from error
        except (StreamApiException, TransportException) as error:
            raise FeedsUnavailable from error
        activities = [ActivitySerializer(activity, context={"request": request}).data for activity in page]
        return Response(envelope(page, activities, request))
