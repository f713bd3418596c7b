"""The database router: in requests, models are read from replicas; everything is written to primaries."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, models

from django_stream.database.replicas.positions import primary_of
from django_stream.database.replicas.reading import database_for


class ReplicaRouter:
    """For `DATABASE_ROUTERS`, below routers that know where single models are.

    Databases with `"STREAM_REPLICA_OF": "default"` are replicas of that one. Override `primary` where
    models are in several databases; routers above this one hide replicas where they answer themselves.
    """

    def primary(self, model: type[models.Model]) -> str:
        """The database that a model's rows are written to."""
        return DEFAULT_DB_ALIAS

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str | None:
        primary = self.primary(model)
        return database_for(primary) or _unless_default(primary)

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str | None:
        primary = self.primary(model)
        # Django would write to where the instance was read.
        return primary if _primary_at(hints.get("instance")) else _unless_default(primary)

    def allow_relation(self, one: models.Model, other: models.Model, **hints: Any) -> bool | None:
        both = {_home(row) for row in (one, other)}
        return True if len(both) == 1 else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if primary_of(db) else None


def _unless_default(alias: str) -> str | None:
    """None lets other routers answer."""
    return None if alias == DEFAULT_DB_ALIAS else alias


def _primary_at(row: Any) -> str | None:
    alias = row._state.db if isinstance(row, models.Model) else None
    return primary_of(alias) if alias else None


def _home(row: models.Model) -> str | None:
    return _primary_at(row) or row._state.db
