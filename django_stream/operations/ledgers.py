"""The ledgers of a site: one in each database that holds our tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from django.db import connections

from django_stream.database.bulk_sql import among
from django_stream.database.tables import has_table
from django_stream.operations.comparison import Difference
from django_stream.publishing.models import Publication


def aliases() -> Iterator[str]:
    """The databases that have one."""
    yield from (alias for alias in connections if has_table(Publication, alias))


def known_elsewhere(differences: Collection[Difference], using: str) -> set[tuple[str, str]]:
    """Label and key of those that are in the ledger of another database: that one answers for them."""
    keys: dict[str, set[str]] = defaultdict(set)
    for one in differences:
        if one.kind in ("extra", "misplaced") and one.key:
            keys[one.label].add(one.key)
    here = _known(keys, using)
    there = [_known(keys, alias) for alias in aliases() if alias != using] if keys else []
    # A replica has the same ledger: what is known here is answered for here.
    return set().union(*there) - here


def _known(keys: dict[str, set[str]], using: str) -> set[tuple[str, str]]:
    ledger = Publication.objects.using(using)
    return {
        (label, key)
        for label, some in keys.items()
        for key in ledger.filter(among("object_key", sorted(some), using), model_label=label).values_list(
            "object_key", flat=True
        )
    }
