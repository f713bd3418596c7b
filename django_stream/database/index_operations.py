"""Indexes of large tables in migrations: PostgreSQL builds and drops them while others write.

Their migrations say `atomic = False`, so each can break off half-way: done again, they finish what is left.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations, models


class AddIndexBesideWriters(migrations.AddIndex):
    """`AddIndex` that keeps no writer waiting where the database can build so; plain elsewhere."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            _add(schema_editor, model, self.index)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            _remove(schema_editor, model, self.index)


class RemoveIndexBesideWriters(migrations.RemoveIndex):
    """Likewise, `RemoveIndex`."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            _remove(schema_editor, model, self._index(app_label, from_state))

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            _add(schema_editor, model, self._index(app_label, to_state))

    def _index(self, app_label: str, state: Any) -> models.Index:
        found: models.Index = state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        return found


def _add(editor: Any, model: type[models.Model], index: models.Index) -> None:
    if _is_there(editor, model, index):
        if not _is_broken(editor, model, index):
            return
        # An earlier build broke off: PostgreSQL keeps what there is of it, and never uses it.
        editor.remove_index(model, index, **_how(editor))
    editor.add_index(model, index, **_how(editor))


def _remove(editor: Any, model: type[models.Model], index: models.Index) -> None:
    # By its table: of several schemas, another one may have an index of this name too.
    if editor.collect_sql or _is_there(editor, model, index):
        editor.remove_index(model, index, **_how(editor))


def _how(editor: Any) -> dict[str, bool]:
    connection = editor.connection
    beside = connection.vendor == "postgresql" and not connection.in_atomic_block
    return {"concurrently": True} if beside else {}


def _is_there(editor: Any, model: type[models.Model], index: models.Index) -> bool:
    if editor.collect_sql:
        return False
    with editor.connection.cursor() as cursor:
        return index.name in editor.connection.introspection.get_constraints(cursor, model._meta.db_table)


def _is_broken(editor: Any, model: type[models.Model], index: models.Index) -> bool:
    if editor.connection.vendor != "postgresql":
        return False
    with editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
            "WHERE x.indrelid = to_regclass(%s) AND i.relname = %s AND NOT x.indisvalid",
            [editor.quote_name(model._meta.db_table), index.name],
        )
        return cursor.fetchone() is not None
