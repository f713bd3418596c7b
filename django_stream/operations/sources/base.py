"""What all kinds share: both sides of the comparison, streamed into a spool."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.db import models

from django_stream.client import StreamClient
from django_stream.database.batches import batched
from django_stream.database.bulk_sql import among
from django_stream.database.querysets import all_rows
from django_stream.operations.comparison import UNREADABLE, Entry
from django_stream.operations.ledgers import aliases
from django_stream.operations.spool import Side, Spool
from django_stream.operations.walking import Walk
from django_stream.protocol.inspection import Inspection
from django_stream.publishing.models import Publication
from django_stream.publishing.one_by_one import undigested_state
from django_stream.publishing.publisher import Desired, Publisher, Record

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Look:
    """Where both sides are."""

    using: str
    client: StreamClient
    inspection: Inspection | None = None
    """What tells of feeds that neither the tables nor the ledger know of; None for a home elsewhere."""
    sample: int | None = None
    """So many rows of each model, by chance, instead of all."""

    @property
    def is_elsewhere(self) -> bool:
        """Whether whatever feeds hold is looked for by what the API lists."""
        return self.inspection is None and self.sample is None


class Source(ABC):
    """One kind of tracked models."""

    moves = False
    """Whether a thing is somewhere else when it is not in its place, and not simply missing."""
    not_listed = ""
    """What the API does not list, so that not all that is extra is found in a home elsewhere."""

    def __init__(self, publishers: Collection[Publisher], look: Look) -> None:
        self.publishers = publishers
        self.look = look

    def fill(self, spool: Spool) -> int:
        """Read both sides; returns how much the tables want."""
        count = 0
        for publisher in self.publishers:
            for keys in self._keys(publisher):
                count += self._add_wanted(spool, publisher, keys)
        if self.look.sample is None:
            for publisher in self.publishers:
                self._add_unlooked(spool, publisher)
        for side, entries in self.found(spool):
            spool.add(side, entries)
        return count

    def look_again(self, spool: Spool, left_out: Collection[str]) -> None:
        """What was published after the tables were read is no difference: the ledger knows it by now.

        What tells no key is looked for in the ledgers of all databases, each of which answers for its own.
        """
        for publisher in self.publishers:
            for keys in spool.unexplained(publisher.label):
                spool.spare(self._known(publisher, keys, {}))
        if next(spool.unexplained(""), None) is None or left_out:
            return
        for alias in aliases():
            for publisher in self.publishers:
                spool.spare(self._in_ledger(publisher, alias))

    @abstractmethod
    def entries(self, publisher: Publisher, desired: Desired) -> Iterator[Entry]:
        """What should be there for one object."""

    @abstractmethod
    def known(self, publisher: Publisher, record: Record) -> Iterator[Entry]:
        """Where a record of the ledger may be found."""

    @abstractmethod
    def found(self, spool: Spool) -> Iterator[tuple[Side, Iterable[Entry]]]:
        """What the API answers of all places that the spool knows of."""

    def record_of(self, place: str, thing: str) -> Record | None:
        """The record of what was found without one."""
        return None

    def shown(self, thing: str) -> str:
        """How the API names a thing."""
        return thing

    def _add_wanted(self, spool: Spool, publisher: Publisher, keys: list[str]) -> int:
        """What is wanted of these objects, and of what the ledger says of them only what is not."""
        state = undigested_state(publisher, keys, self.look.using)
        count = spool.add(Side.WANTED, self._wanted(publisher, state))
        if self.look.sample is None:
            spool.look(publisher.label, keys)
            wanted = {key: one.records for key, one in state.items() if isinstance(one, Desired)}
            spool.add(Side.KNOWN, self._known(publisher, keys, wanted))
        return count

    def _wanted(self, publisher: Publisher, state: Mapping[str, Desired | Exception]) -> Iterator[Entry]:
        for key, desired in state.items():
            try:
                if isinstance(desired, Exception):
                    raise desired
                entries = list(self.entries(publisher, desired))
            except Exception:  # the row's own code, or what it said has no form in JSON
                yield Entry(publisher.label, key, UNREADABLE, publisher.label, key)
                continue
            for one in entries:
                yield Entry(one.place, one.thing, one.state, publisher.label, key)

    def _keys(self, publisher: Publisher) -> Iterator[list[str]]:
        rows = all_rows(publisher.model, self.look.using)
        if self.look.sample is not None:
            yield from batched(publisher.keys_where(rows.order_by("?")[: self.look.sample]), CHUNK)
            return
        for step in Walk(rows).steps(CHUNK):
            yield list(dict.fromkeys(publisher.keys_at(rows, step.pks)))

    def _add_unlooked(self, spool: Spool, publisher: Publisher) -> None:
        """What the ledger says of objects that the tables do not have."""
        ledger = self._ledger(publisher).values_list("object_key", flat=True).order_by()
        for keys in batched(ledger.iterator(chunk_size=CHUNK), CHUNK):
            if others := spool.not_looked_at(publisher.label, keys):
                spool.add(Side.KNOWN, self._known(publisher, others, {}))

    def _known(
        self, publisher: Publisher, keys: list[str], wanted: Mapping[str, list[Record]]
    ) -> Iterator[Entry]:
        ledger = self._ledger(publisher).filter(among("object_key", keys, self.look.using))
        for key, records in ledger.values_list("object_key", "records"):
            for record in records:
                if record not in wanted.get(key, ()):
                    for one in self.known(publisher, record):
                        yield Entry(one.place, one.thing, "", publisher.label, key, record)

    def _in_ledger(self, publisher: Publisher, alias: str) -> Iterator[Entry]:
        ledger = Publication.objects.using(alias).filter(model_label=publisher.label).order_by()
        for records in ledger.values_list("records", flat=True).iterator(chunk_size=CHUNK):
            for record in records:
                yield from self.known(publisher, record)

    def _ledger(self, publisher: Publisher) -> models.QuerySet[Publication]:
        return Publication.objects.using(self.look.using).filter(model_label=publisher.label)


def places_of(spool: Spool, look: Look, slugs: Collection[str]) -> Iterator[list[str]]:
    """Feeds that are wanted or known, and of a home that can be inspected all others of these groups."""
    for places in spool.places():
        yield [place for place in places if ":" in place]
    if look.inspection is not None and look.sample is None:
        yield from batched((one for one in look.inspection.feeds(slugs) if not spool.has(one)), CHUNK)


def by_side(entries: Iterable[tuple[Side, Entry]]) -> Iterator[tuple[Side, list[Entry]]]:
    for some in batched(entries, CHUNK):
        for side in (Side.FOUND, Side.SEEN):
            if mine := [entry for one, entry in some if one == side]:
                yield side, mine
