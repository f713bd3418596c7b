"""Columns that mean the same on every database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import UUIDField

if TYPE_CHECKING:
    _UUIDField = UUIDField[Any, Any]
else:
    _UUIDField = UUIDField


class OrderedUUIDField(_UUIDField):
    """A UUID that sorts by its digits everywhere.

    MariaDB's own type sorts some of them by other parts, depending on the digit that tells the version. There
    it is kept as 32 digits, as on SQLite.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "char(32)" if connection.vendor == "mysql" else super().db_type(connection)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        value = super().get_db_prep_value(value, connection, prepared)
        return value.hex if connection.vendor == "mysql" and isinstance(value, UUID) else value
