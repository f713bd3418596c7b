"""Taking rows out of the feeds without deleting them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models

from django_stream.activities.publishers.activities import ActivityPublisher
from django_stream.activities.publishers.reactions import ReactionPublisher
from django_stream.backends import get_client
from django_stream.conf import stream_settings
from django_stream.database.batches import batched
from django_stream.publishing.objects import publish_objects
from django_stream.publishing.publisher import publishers_of
from django_stream.publishing.report import DrainReport


def withdraw(rows: models.QuerySet[Any]) -> DrainReport:
    """Take out of all feeds what they have of these rows, until something publishes them again.

    A row that is saved is published again; for good it stays out by the `should_publish` of its model.
    """
    total, client, token = DrainReport(), get_client(), uuid.uuid4()
    for one in publishers_of(rows.model):
        if isinstance(one, ActivityPublisher | ReactionPublisher):
            for keys in batched(one.keys_where(rows), stream_settings.OUTBOX_BATCH_SIZE):
                total += publish_objects(
                    one.label, keys, rows.db, client=client, token=token, force=True, withdraw=True
                )
    return total
