"""What the publishers of tracked models have in common."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from django.db import models

from django_stream.activities.ids import pk_text
from django_stream.activities.model_references import clean_pk, object_id_of
from django_stream.activities.paths import (
    Source,
    first_field,
    is_generic,
    prefetch_path,
    related_model,
    select_related_path,
)
from django_stream.activities.publishers.noted_tables import (
    link_table,
    referring_tables,
    relation_tables,
    row_tables,
)
from django_stream.database.querysets import all_rows
from django_stream.database.triggers.noting import NotedTable
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

    @property
    def fixed_feeds(self) -> Iterable[str]:
        """Feeds that the declaration names as targets of every row."""
        return ()

    def shown_models(self) -> Iterable[type[models.Model]]:
        """Models whose rows pages may show."""
        return ()

    def watched_relations(self) -> Iterable[tuple[Any, str, frozenset[str] | None]]:
        """Related models whose changes republish a row: the path to each, and the columns that matter."""
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
        self._watched_paths = [path for path in watch or () if "." in path]
        self._sources = sources

    @abstractmethod
    def desired_by(self, row: Any) -> Desired | None:
        """What the feeds should hold for this row; None when it should not be there."""

    def matters(self, changed_fields: Collection[str]) -> bool:
        return self._watched is None or not self._watched.isdisjoint(changed_fields)

    def noted_tables(self, using: str) -> Iterator[NotedTable]:
        yield from row_tables(self.model, self._watched, using)
        yield from relation_tables(self.model, self.recipient_relations(), using)
        yield from (link_table(link, using) for link in dict.fromkeys(self._child_links()))
        for related, path, columns in self.watched_relations():
            yield from referring_tables(self.model, related, path, columns, using)

    def watched_relations(self) -> Iterator[tuple[Any, str, frozenset[str] | None]]:
        for path in self._watched_paths:
            yield from watched_steps(self.model, path)

    def keys_of(self, instance: models.Model) -> list[str]:
        return [object_id_of(instance)]

    def keys_where(self, rows: models.QuerySet[Any]) -> Iterable[str]:
        return (pk_text(pk) for pk in rows.values_list("pk", flat=True).iterator(chunk_size=_CHUNK))

    def keys_at(self, rows: models.QuerySet[Any], pks: list[Any]) -> Iterable[str]:
        return map(pk_text, pks)

    def pks_of(self, keys: Iterable[str]) -> list[Any]:
        """The inverse of `keys_of`; what cannot be a primary key of this model is left out."""
        return [pk for key in keys if (pk := clean_pk(self.model, key)) is not None]

    def desired(self, keys: Collection[str], using: str) -> dict[str, Desired | Exception]:
        found: dict[str, Desired | Exception] = {}
        desired_by = self.reading()
        for row in self._rows(keys, using):
            try:
                desired = desired_by(row)
            except Exception as error:  # the model's own code: whatever it raises concerns this row only
                found[object_id_of(row)] = error
            else:
                if desired is not None:
                    found[object_id_of(row)] = desired
        return found

    def reading(self) -> Callable[[Any], Desired | None]:
        """`desired_by` for many rows that are read now."""
        return self.desired_by

    def there(self, keys: Collection[str], using: str) -> Collection[str]:
        rows = all_rows(self.model, using).filter(pk__in=self.pks_of(keys))
        return {pk_text(pk) for pk in rows.values_list("pk", flat=True)}

    def _rows(self, keys: Collection[str], using: str) -> models.QuerySet[Any]:
        return with_related(self._matching(keys, using), self._sources, using)

    def _matching(self, keys: Collection[str], using: str) -> models.QuerySet[Any]:
        rows = self.model._base_manager.using(using).filter(pk__in=self.pks_of(keys))
        # A row that is also a row of a tracked child model is published as that.
        children = {link.remote_field.get_accessor_name() for link in self._child_links()}
        return rows.filter(**dict.fromkeys(children, None)) if children else rows

    def _child_links(self) -> Iterator[Any]:
        """The fields by which tracked children of this model refer to it."""
        for other in publishers():
            if (
                other.kind == self.kind
                and other.model is not self.model
                and issubclass(other.model, self.model)
            ):
                link = other.model._meta.get_ancestor_link(self.model)
                if link is not None:
                    yield link


def with_related(rows: models.QuerySet[Any], sources: Iterable[Source], using: str) -> models.QuerySet[Any]:
    """The rows with what the paths lead to, by joins, and by a query for each model behind a generic key."""
    sources = list(sources)
    joins = {path for one in sources if (path := select_related_path(rows.model, one, using))}
    prefetched = {path for one in sources if (path := prefetch_path(rows.model, one, using))}
    rows = rows.select_related(*sorted(joins)) if joins else rows
    return rows.prefetch_related(*sorted(prefetched)) if prefetched else rows


def _watched(
    model: type[models.Model], sources: list[Source], watch: Sequence[str] | None
) -> frozenset[str] | None:
    """Field names and columns whose change matters; None means any, since a callable may read them all."""
    names = (
        [name.split(".")[0] for name in watch]
        if watch is not None
        else [first_field(model, source) for source in sources]
    )
    if not names or None in names:
        return None
    fields = [model._meta.get_field(name) for name in names if name and _has_field(model, name)]
    if any(_reads_others(model, field) for field in fields):
        return None
    # A changed key is another row.
    columns = [*(column for field in fields for column in _columns(field)), *model._meta.pk_fields]
    return frozenset(name for field in columns for name in (field.name, field.attname) if name)


def watched_steps(
    model: type[models.Model], path: str
) -> Iterator[tuple[type[models.Model], str, frozenset[str] | None]]:
    """Each model that a path leads over, with the way to it and the columns that the path reads there."""
    names = path.split(".")
    for place in range(1, len(names)):
        current = related_model(model, ".".join(names[:place]))
        if current is None:
            return
        yield current, "__".join(names[:place]), _watched(current, [], names[place : place + 1])


def _reads_others(model: type[models.Model], field: Any) -> bool:
    """Whether the value comes from other columns: by the database, or by a library's descriptor."""
    if getattr(field, "generated", False):
        return True
    descriptor = type(inspect.getattr_static(model, field.name, None))
    return descriptor is not type(None) and not descriptor.__module__.startswith("django.")


def _columns(field: Any) -> list[Any]:
    """The columns of a field: those of a generic foreign key, or of a composite key, are several."""
    if isinstance(field, models.CompositePrimaryKey):
        return list(field.fields)
    if is_generic(field):
        return [field.model._meta.get_field(name) for name in (field.ct_field, field.fk_field)]
    return [field] if hasattr(field, "attname") else []


def _has_field(model: type[models.Model], name: str) -> bool:
    return any(field.name == name for field in model._meta.get_fields())
