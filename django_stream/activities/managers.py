"""A manager whose bulk operations reach the feeds, although Django sends no signals for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connections, models

from django_stream.database.batches import batched
from django_stream.database.bulk_sql import among_rows, conflicting_on
from django_stream.database.querysets import all_rows, forget_rows, write_database
from django_stream.publishing import outbox, related
from django_stream.publishing.publisher import Publisher, publishers_of

_CHUNK = 500
# Below the parameters that a statement may have.
_PKS_PER_STATEMENT = 30_000


class TrackedQuerySet(models.QuerySet[Any]):
    """Notes every changed row in the outbox, in the transaction of the change."""

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        objs = list(objs)
        with outbox.one_transaction(write_database(self)):
            last = self._last_pk() if kwargs.get("ignore_conflicts") else None
            self._note_conflicting(objs, kwargs, before=True)
            created = super().bulk_create(objs, *args, **kwargs)
            self._note_instances(created, last)
            self._note_conflicting(objs, kwargs)
        return created

    def update(self, **kwargs: Any) -> int:
        moves = not _pk_names(self.model).isdisjoint(kwargs)
        publishers = [one for one in publishers_of(self.model) if moves or one.matters(kwargs)]
        watched = related.is_watched(self.model, kwargs)
        if not (publishers or watched) or outbox.is_paused():
            return super().update(**kwargs)
        with outbox.one_transaction(write_database(self)):
            publishers = outbox.left_to_us(publishers, self.db)
            if not (publishers or watched):
                return super().update(**kwargs)
            # The rows as they are now: afterwards the filter may match others.
            pks = self._locked_pks()
            self._note_rows(publishers, pks)
            pks_after = self._pks_after(pks, kwargs) if moves else pks
            updated = self._update_once(pks, kwargs)
            self._note_rows([one for one in publishers if moves or one.keys_follow_fields], pks_after)
            related.note_referring(self.model, pks_after, kwargs, self.db)
        return updated

    update.alters_data = True  # type: ignore[attr-defined]

    def _update_once(self, pks: list[Any], values: dict[str, Any]) -> int:
        """One statement, since its expressions may look at other rows that it changes."""
        rows = self
        if self.db_locks_rows and len(pks) <= _PKS_PER_STATEMENT:
            # Only the rows that were noted, since others may match by now. The filter stays: what
            # changed before it was locked may no longer match.
            rows = self.order_by().filter(pk__in=pks)
        # The next `update()` in line, of another library's queryset or Django's own.
        updated = super(TrackedQuerySet, rows).update(**values)
        forget_rows(self)
        return updated

    def _pks_after(self, pks: list[Any], values: dict[str, Any]) -> list[Any]:
        """The primary keys that rows will have, computed by the database where they are expressions."""
        parts = []
        for field in self.model._meta.pk_fields:
            names = {field.name, field.attname, *(["pk"] if len(self.model._meta.pk_fields) == 1 else [])}
            given = [value for name, value in values.items() if name in names]
            parts.append(_as_expression(field, given[0]) if given else models.F(field.attname))
        aliases = [f"_stream_key_{index}" for index in range(len(parts))]
        rows = all_rows(self.model, self.db)
        found: list[Any] = []
        for some in batched(pks, _CHUNK):
            chosen = rows.filter(pk__in=some).annotate(**dict(zip(aliases, parts, strict=True)))
            found += chosen.values_list(*aliases)
        return [key[0] for key in found] if len(parts) == 1 else found

    @property
    def db_locks_rows(self) -> bool:
        """Elsewhere, as on SQLite, a writing transaction has the database to itself."""
        return connections[self.db].features.has_select_for_update

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        with outbox.noted_together(write_database(self)):
            publishers = outbox.left_to_us(publishers_of(self.model), self.db)
            if pairs := [one for one in publishers if one.keys_follow_fields]:
                self._note_rows(pairs, self._locked_pks())
            return super().delete(*args, **kwargs)

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def _locked_pks(self) -> list[Any]:
        """Nobody else can change these rows, or publish an older state, until the transaction ends."""
        # By a subquery, since locks and joins do not go together.
        chosen = self.order_by().values("pk")
        is_one = len(self.model._meta.pk_fields) == 1
        matching = all_rows(self.model, self.db).filter(
            among_rows("pk", chosen) if is_one else models.Q(pk__in=chosen)
        )
        return list(matching.order_by("pk").select_for_update().values_list("pk", flat=True))

    def _note_rows(self, publishers: Iterable[Publisher], pks: list[Any]) -> None:
        rows = all_rows(self.model, self.db)
        for publisher in publishers:
            keys = (
                key for part in batched(pks, _CHUNK) for key in publisher.keys_where(rows.filter(pk__in=part))
            )
            outbox.note(publisher.label, keys, self.db, bulk=True)

    def _note_instances(self, instances: list[models.Model], last: Any) -> None:
        """Rows that came back without a primary key are among those beyond the last one before."""
        unknown = any(row.pk is None for row in instances)
        for publisher in publishers_of(self.model):
            known = (row for row in instances if row.pk is not None or publisher.keys_follow_fields)
            keys = (key for row in known for key in publisher.keys_of(row))
            outbox.note(publisher.label, keys, self.db, bulk=True)
            if unknown and not publisher.keys_follow_fields:
                rows = all_rows(self.model, self.db)
                fresh = rows if last is None else rows.filter(pk__gt=last)
                outbox.note(publisher.label, publisher.keys_where(fresh), self.db, bulk=True)

    def _last_pk(self) -> Any:
        return all_rows(self.model, self.db).order_by("-pk").values_list("pk", flat=True).first()

    def _note_conflicting(self, objs: list[Any], options: dict[str, Any], *, before: bool = False) -> None:
        """Rows that an upsert changes are known by its unique fields, and not by the instances given."""
        unique = conflicting_on(self.model, options, self.db)
        publishers = [one for one in publishers_of(self.model) if one.keys_follow_fields or not before]
        for some in batched(objs, _CHUNK) if unique and publishers else ():
            same = models.Q(pk__in=[])
            for row in some:
                for names in unique:
                    values = {name: getattr(row, name) for name in names}
                    if None not in values.values():  # which is the same as nothing
                        same |= models.Q(**values)
            rows = all_rows(self.model, self.db).filter(same)
            for publisher in publishers:
                outbox.note(publisher.label, publisher.keys_where(rows), self.db, bulk=True)


def _pk_names(model: type[models.Model]) -> set[str]:
    return {"pk", *(name for field in model._meta.pk_fields for name in (field.name, field.attname))}


def _as_expression(field: Any, value: Any) -> Any:
    if hasattr(value, "resolve_expression"):
        return models.ExpressionWrapper(value, output_field=_plain_field(field))
    value = getattr(value, field.target_field.attname) if isinstance(value, models.Model) else value
    return models.Value(value, output_field=_plain_field(field))


def _plain_field(field: Any) -> Any:
    """The field that a chain of foreign keys ends in."""
    while field.remote_field:
        field = field.target_field
    return field


TrackedManager = models.Manager.from_queryset(TrackedQuerySet, class_name="TrackedManager")
