"""Which follows between feeds the tables mean at this moment, in any database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from django_stream.activities.owners import Owner
from django_stream.activities.publishers.follow_records import owner_of
from django_stream.activities.publishers.follows import FollowPublisher
from django_stream.database.batches import batched
from django_stream.database.querysets import all_rows
from django_stream.database.tables import has_table
from django_stream.operations.ledgers import aliases
from django_stream.publishing.publisher import Desired, Record, publishers

_CHUNK = 500


def wanted_follows(records: Iterable[Record]) -> list[Record]:
    """Those of the follows that a row means now."""
    asked = {(one["source"], one["target"]): one for one in records}
    owners = [(owner_of(source), owner_of(target)) for source, target in asked]
    meant = [(source, target) for source, target in owners if source is not None and target is not None]
    found: set[tuple[str, str]] = set()
    for alias in aliases():
        for publisher in publishers():
            if isinstance(publisher, FollowPublisher) and has_table(publisher.model, alias):
                for keys in _keys(publisher, meant, alias):
                    found |= asked.keys() & _follows(publisher, keys, alias)
    return [record for ends, record in asked.items() if ends in found]


def _keys(
    publisher: FollowPublisher, meant: Collection[tuple[Owner, Owner]], alias: str
) -> Iterator[list[str]]:
    """The pairs to ask: of owners whose names tell no row, all that there are."""
    if publisher.names_tell_rows:
        yield from batched(publisher.keys_meaning(meant, alias), _CHUNK)
    else:
        yield from batched(publisher.keys_where(all_rows(publisher.model, alias)), _CHUNK)


def _follows(publisher: FollowPublisher, keys: Collection[str], alias: str) -> set[tuple[str, str]]:
    desired = publisher.desired(keys, alias).values()
    records = (record for one in desired if isinstance(one, Desired) for record in one.records)
    return {(record["source"], record["target"]) for record in records}
