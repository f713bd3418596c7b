"""Which tables a database has."""

from __future__ import annotations

from django.db import connections, models, router


def has_table(model: type[models.Model], using: str) -> bool:
    """Whether a model's rows can be read in a database: routers allow it, and it was migrated there.

    Without a router, Django allows every model in every database, so that being allowed says little.
    """
    if not router.allow_migrate_model(using, model):
        return False
    with connections[using].cursor() as cursor:
        names = connections[using].introspection.table_names(cursor, include_views=True)
    table = model._meta.db_table
    # A name with quotes inside is one of another schema, which the introspection does not list.
    return '"' in table or table in names


def is_elsewhere(model: type[models.Model], using: str) -> bool:
    """Whether a router keeps the rows of a model out of this database, where nothing can join them."""
    return not router.allow_migrate_model(using, model) and router.db_for_read(model) != using
