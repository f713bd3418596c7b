"""What a run that was killed had begun to publish."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection

from django_stream.backends import get_client
from django_stream.database.batches import batched
from django_stream.publishing.models import Publication
from django_stream.publishing.objects import publish_objects

_CHUNK = 500


def take_over(tokens: Collection[str], using: str, token: uuid.UUID) -> None:
    """Publish what is leased by these tokens, without waiting for the leases to run out.

    Nobody knows how far those runs came, and nobody else would look at it before then.
    """
    held: dict[str, list[str]] = defaultdict(list)
    rows = Publication.objects.using(using).filter(lease__in=tokens).order_by("model_label", "pk")
    for label, key in rows.values_list("model_label", "object_key"):
        held[label].append(key)
    for label, keys in held.items():
        for some in batched(keys, _CHUNK):
            publish_objects(label, some, using, client=get_client(), token=token, earlier=tokens)
