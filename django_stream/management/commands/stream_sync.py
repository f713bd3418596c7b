"""`manage.py stream_sync [app.Model …]`: make the follows between feeds equal to the follow tables."""

from __future__ import annotations

from typing import Any

from django_stream.activities.publishers.follows import FollowPublisher
from django_stream.management.commands._publishing import PublishingCommand, chosen
from django_stream.publishing.publisher import publishers


class Command(PublishingCommand):
    help = "Make the follows of feeds equal to the follow tables. Running it twice does no harm."

    def handle(self, *args: Any, **options: Any) -> None:
        follows = [one for one in publishers() if isinstance(one, FollowPublisher)]
        self.publish_all(chosen(follows, options.pop("models")), **options)
