"""`manage.py stream_sync [app.Model …]`: make the follows between feeds equal to the follow tables."""

from __future__ import annotations

from typing import Any

from django_stream.activities.kinds import publishers_for
from django_stream.management.commands._publishing import PublishingCommand, chosen


class Command(PublishingCommand):
    help = "Make the follows of feeds equal to the follow tables. Running it twice does no harm."

    def handle(self, *args: Any, **options: Any) -> None:
        self.publish_all(chosen(publishers_for("stream_sync"), options.pop("models")), **options)
