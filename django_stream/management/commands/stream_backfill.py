"""`manage.py stream_backfill [app.Model …]`: bring the feeds in line with whole tables."""

from __future__ import annotations

from typing import Any

from django_stream.management.commands._publishing import PublishingCommand, chosen
from django_stream.publishing.publisher import publishers

# What others refer to comes first. Follows are for stream_sync.
_ORDER = ("user", "collection", "", "reaction")


class Command(PublishingCommand):
    help = "Publish the rows of tracked models, and take out what is gone. Running it twice does no harm."

    def handle(self, *args: Any, **options: Any) -> None:
        found = chosen([one for one in publishers() if one.kind in _ORDER], options.pop("models"))
        self.publish_all(sorted(found, key=lambda one: _ORDER.index(one.kind)), **options)
