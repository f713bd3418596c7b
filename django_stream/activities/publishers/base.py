"""What the publishers of tracked models have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from django.db import models

from django_stream.activities.ids import pk_text
from django_stream.activities.model_references import clean_pk, object_id_of
from django_stream.activities.paths import Source, first_field, select_related_path
from django_stream.publishing.publisher import Desired, Publisher, publishers

_CHUNK = 2000


class TrackedPublisher(Publisher):
    """A publisher, and what else follows from a model's being tracked by it."""

    @property
    def reference_prefix(self) -> str:
        """What references to the rows begin with in place of `app_label.Model`; "" for just that."""
        return ""

    @property
    def declared_feed(self) -> str | None:
        """Slug of the feed group that the declaration names."""
        return None

    def shown_models(self) -> Iterable[type[models.Model]]:
        """Models whose rows pages may show."""
        return ()

    def recipient_relations(self) -> Iterable[models.ManyToManyField[Any, Any]]:
        """Many-to-many fields whose changes republish a row."""
        return ()


class RowPublisher(TrackedPublisher):
    """One row, one key. Reads rows with the joins that the declared paths need, and asks what it says."""

    def __init__(
        self, model: type[models.Model], sources: Iterable[Source], watch: Sequence[str] | None = None
    ) -> None:
        super().__init__(model)
        sources = list(sources)
        self._watched = _watched(model, sources, watch)
        self._joins = sorted({path for source in sources if (path := select_related_path(model, source))})

    @abstractmethod
    def desired_by(self, row: Any) -> Desired | None:
        """What the feeds should hold for this row; None when it should not be there."""

    def matters(self, changed_fields: Collection[str]) -> bool:
        return self._watched is None or not self._watched.isdisjoint(changed_fields)

    def keys_of(self, instance: models.Model) -> list[str]:
        return [object_id_of(instance)]

    def keys_where(self, rows: models.QuerySet[Any]) -> Iterable[str]:
        return (pk_text(pk) for pk in rows.values_list("pk", flat=True).iterator(chunk_size=_CHUNK))

    def pks_of(self, keys: Iterable[str]) -> list[Any]:
        """The inverse of `keys_of`; what cannot be a primary key of this model is left out."""
        return [pk for key in keys if (pk := clean_pk(self.model, key)) is not None]

    def desired(self, keys: Collection[str], using: str) -> dict[str, Desired | Exception]:
        found: dict[str, Desired | Exception] = {}
        for row in self._rows(keys, using):
            try:
                desired = self.desired_by(row)
            except Exception as error:  # the model's own code: whatever it raises concerns this row only
                found[object_id_of(row)] = error
            else:
                if desired is not None:
                    found[object_id_of(row)] = desired
        return found

    def _rows(self, keys: Collection[str], using: str) -> models.QuerySet[Any]:
        rows = self.model._base_manager.using(using).filter(pk__in=self.pks_of(keys))
        # A row that is also a row of a tracked child model is published as that.
        rows = rows.filter(**dict.fromkeys(self._child_links(), None))
        return rows.select_related(*self._joins) if self._joins else rows

    def _child_links(self) -> Iterator[str]:
        for other in publishers():
            if (
                other.kind == self.kind
                and other.model is not self.model
                and issubclass(other.model, self.model)
            ):
                link = other.model._meta.get_ancestor_link(self.model)
                if link is not None:
                    yield link.remote_field.get_accessor_name()


def _watched(
    model: type[models.Model], sources: list[Source], watch: Sequence[str] | None
) -> frozenset[str] | None:
    """Field names and columns whose change matters; None means any, since a callable may read them all."""
    names = list(watch) if watch is not None else [first_field(model, source) for source in sources]
    if not names or None in names:
        return None
    fields = [model._meta.get_field(name) for name in names if name and _has_field(model, name)]
    return frozenset(name for field in fields for name in (field.name, getattr(field, "attname", field.name)))


def _has_field(model: type[models.Model], name: str) -> bool:
    return any(field.name == name for field in model._meta.get_fields())
