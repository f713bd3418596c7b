"""The ledgers of a site: one in each database that holds our tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from django.db import InterfaceError, OperationalError, connections

from django_stream.database.bulk_sql import among
from django_stream.database.tables import has_table
from django_stream.operations.comparison import Difference
from django_stream.publishing.models import Publication

EXTRA = ("extra", "misplaced")


class OutOfReach(Exception):
    """A database cannot be asked, so that nobody knows what is its own."""

    def __init__(self, alias: str, error: Exception) -> None:
        reason = str(error).strip().partition("\n")[0]
        super().__init__(
            f"the database {alias!r} cannot be reached, and what seems to be extra may be its own: {reason}. "
            f"Mend it, or say --leave-out {alias}, by which nothing is extra that the ledger does not know"
        )
        self.alias = alias


def aliases() -> Iterator[str]:
    """The databases that have one; OutOfReach for one that cannot be asked."""
    for alias in connections:
        try:
            is_there = has_table(Publication, alias)
        except (OperationalError, InterfaceError) as error:
            raise OutOfReach(alias, error) from error
        if is_there:
            yield alias


def not_ours_to_judge(
    differences: Collection[Difference], using: str, left_out: Collection[str]
) -> set[tuple[str, str]]:
    """Label and key of what seems to be extra and is another database's, or may be one's that is left out."""
    if not left_out:
        return known_elsewhere(differences, using)
    extra = [one for one in differences if one.kind in EXTRA]
    keys: dict[str, set[str]] = defaultdict(set)
    for one in extra:
        keys[one.label].add(one.key)
    return {(one.label, one.key) for one in extra} - _known(keys, using)


def known_elsewhere(differences: Collection[Difference], using: str) -> set[tuple[str, str]]:
    """Label and key of those that are in the ledger of another database: that one answers for them."""
    keys: dict[str, set[str]] = defaultdict(set)
    for one in differences:
        if one.kind in EXTRA and one.key:
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
