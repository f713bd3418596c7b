"""A manager whose bulk operations reach the feeds, although Django sends no signals for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connections, models

from django_stream.database.querysets import all_rows, forget_rows, write_database
from django_stream.publishing import outbox
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
        publishers = [one for one in publishers_of(self.model) if one.matters(kwargs)]
        if not publishers or outbox.is_paused():
            return super().update(**kwargs)
        with outbox.one_transaction(write_database(self)):
            # The rows as they are now: afterwards the filter may match others.
            pks = self._locked_pks()
            self._note_rows(publishers, pks)
            updated = self._update_once(pks, kwargs)
            self._note_rows([one for one in publishers if one.keys_follow_fields], pks)
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

    @property
    def db_locks_rows(self) -> bool:
        """Elsewhere, as on SQLite, a writing transaction has the database to itself."""
        return connections[self.db].features.has_select_for_update

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        with outbox.noted_together(write_database(self)):
            if pairs := [one for one in publishers_of(self.model) if one.keys_follow_fields]:
                self._note_rows(pairs, self._locked_pks())
            return super().delete(*args, **kwargs)

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def _locked_pks(self) -> list[Any]:
        """Nobody else can change these rows, or publish an older state, until the transaction ends."""
        # By a subquery, since locks and joins do not go together.
        matching = all_rows(self.model, self.db).filter(pk__in=self.order_by().values("pk"))
        return list(matching.order_by("pk").select_for_update().values_list("pk", flat=True))

    def _note_rows(self, publishers: Iterable[Publisher], pks: list[Any]) -> None:
        rows = all_rows(self.model, self.db)
        for publisher in publishers:
            keys = (key for part in _parts(pks) for key in publisher.keys_where(rows.filter(pk__in=part)))
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
        names = options.get("unique_fields")
        if not options.get("update_conflicts") or not names:
            return
        publishers = [one for one in publishers_of(self.model) if one.keys_follow_fields or not before]
        for start in range(0, len(objs), _CHUNK) if publishers else ():
            same = models.Q()
            for row in objs[start : start + _CHUNK]:
                same |= models.Q(**{name: getattr(row, name) for name in names})
            rows = all_rows(self.model, self.db).filter(same)
            for publisher in publishers:
                outbox.note(publisher.label, publisher.keys_where(rows), self.db, bulk=True)


def _parts(pks: list[Any]) -> Iterator[list[Any]]:
    return (pks[start : start + _CHUNK] for start in range(0, len(pks), _CHUNK))


TrackedManager = models.Manager.from_queryset(TrackedQuerySet, class_name="TrackedManager")
