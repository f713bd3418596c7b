"""`manage.py stream_backfill [app.Model …]`: bring the feeds in line with whole tables."""

from __future__ import annotations

from typing import Any

from django_stream.activities.kinds import publishers_for
from django_stream.management.commands._publishing import PublishingCommand, chosen


class Command(PublishingCommand):
    help = "Publish the rows of tracked models, and take out what is gone. Running it twice does no harm."

    def handle(self, *args: Any, **options: Any) -> None:
        self.publish_all(chosen(publishers_for("stream_backfill"), options.pop("models")), **options)
