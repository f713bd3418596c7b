"""A system check of sites with several databases: the outbox stands beside the rows that it tells of."""

from __future__ import annotations

from django.core.checks import CheckMessage, Error
from django.db import router

from django_stream.publishing.models import OutboxEntry, Publication
from django_stream.publishing.publisher import publishers


def check_databases(**_: object) -> list[CheckMessage]:
    """Tracked models whose rows are written to a database from which a router keeps our tables out."""
    problems: list[CheckMessage] = []
    for model in dict.fromkeys(publisher.model for publisher in publishers()):
        using = router.db_for_write(model)
        # A router that keeps the model out as well says nothing of this database, as that of a tenant does.
        if not router.allow_migrate_model(using, model):
            continue
        if not all(router.allow_migrate_model(using, one) for one in (OutboxEntry, Publication)):
            problems.append(
                Error(
                    f"Rows of {model._meta.label} are written to the database {using!r}, and a router keeps "
                    "the tables of django_stream out of it: saving one would fail.",
                    hint="Let allow_migrate() of the router answer True for the app 'django_stream' there, "
                    f"and run `manage.py migrate django_stream --database {using}`.",
                    obj=model,
                    id="django_stream.E021",
                )
            )
    return problems
