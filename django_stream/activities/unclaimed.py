"""What was published for models that are tracked no longer: renamed, moved, or without their mixin."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import models

from django_stream.activities.kinds import COLLECTIONS, KINDS, Command, TrackedKind
from django_stream.publishing.models import Publication
from django_stream.publishing.publisher import (
    Change,
    Dependents,
    Desired,
    Publisher,
    publisher_for,
    publishers,
    register_publisher,
    unregister_publisher,
)

if TYPE_CHECKING:
    from django_stream.client import StreamClient


class Unclaimed(Publisher):
    """Takes out what the ledger has under a label that no model claims: what is there is wanted no more."""

    def __init__(self, label: str, kind: TrackedKind) -> None:
        super().__init__(Publication)
        self._label = label
        # Never made for a model: to take out, it reads the records alone.
        self._remover = object.__new__(kind.publisher)

    @property
    def label(self) -> str:
        return self._label

    def keys_of(self, instance: models.Model) -> list[str]:
        return []

    def keys_where(self, rows: models.QuerySet[Any]) -> Iterable[str]:
        return ()

    def desired(self, keys: Collection[str], using: str) -> Mapping[str, Desired | Exception]:
        return {}

    def apply(self, client: StreamClient, changes: list[Change]) -> Mapping[str, Exception]:
        return self._remover.apply(client, changes)

    def dependents(self, changes: Collection[Change], using: str) -> Iterator[Dependents]:
        """The same rows may be published under their new name already: a follow of the same pair, a user."""
        keys = [change.key for change in changes]
        for one in publishers():
            if one.kind == self._remover.kind and one is not self:
                known = Publication.objects.using(using).filter(model_label=one.label, object_key__in=keys)
                yield Dependents(one.label, list(known.values_list("object_key", flat=True)), force=True)


def unclaimed(using: str, command: Command) -> list[Unclaimed]:
    """A publisher for each label of the ledger that is nobody's any more, of the command's kinds.

    Entries of collections are left out, since their collection was known by the model alone.
    """
    kinds = {
        kind.publisher.kind: kind for kind in KINDS if kind.command == command and kind is not COLLECTIONS
    }
    labels = Publication.objects.using(using).order_by("model_label").values_list("model_label", flat=True)
    return [
        Unclaimed(label, kinds[suffix])
        for label in labels.distinct()
        if publisher_for(label) is None and (suffix := label.partition("#")[2].partition(":")[0]) in kinds
    ]


@contextmanager
def claimed(publisher: Unclaimed) -> Iterator[None]:
    """Drains of this process take out what is noted under the publisher's label."""
    register_publisher(publisher)
    try:
        yield
    finally:
        unregister_publisher(publisher)
