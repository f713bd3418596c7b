"""By what the feeds differ from the tables, both ways, however many rows there are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from django.utils import timezone

from django_stream.backends import get_client
from django_stream.database.batches import batched
from django_stream.database.bulk_sql import among
from django_stream.operations.comparison import Difference
from django_stream.operations.ledgers import EXTRA, not_ours_to_judge
from django_stream.operations.sources import sources_of, with_those_of_the_same_things
from django_stream.operations.sources.base import Look, Source
from django_stream.operations.spool import Spool
from django_stream.protocol.inspection import Inspection
from django_stream.publishing.drain import spoken_as_the_site
from django_stream.publishing.models import OutboxEntry, Publication
from django_stream.publishing.publisher import Publisher

_FOUND = ("extra", "misplaced", "stale")


def verify(
    publishers: Collection[Publisher],
    using: str = "default",
    *,
    sample: int | None = None,
    left_out: Collection[str] = (),
    tell: Callable[[str, int, str], object] = lambda kind, count, not_listed: None,
) -> Iterator[Difference]:
    """The differences of these models, without those that are on their way.

    `tell` is called after each kind with its name, with how much of it the tables want, and with what
    the API of a home elsewhere does not list, in words. Models that make follows, or fill the same kind of
    reactions or the same collection, are looked at together. `left_out` are
    databases that cannot be asked what is theirs: then nothing is extra that the ledger does not know.
    Raises `ledgers.OutOfReach` for a database that cannot be asked, and is not left out.
    """
    client = get_client()
    look = Look(using, client, inspection_of_home(), sample)
    with spoken_as_the_site():
        for kind, source in sources_of(with_those_of_the_same_things(publishers), look):
            with Spool() as spool:
                count = source.fill(spool)
                spool.compare()
                source.look_again(spool, left_out)
                for one in _settled(spool.differences(moves=source.moves), using, left_out):
                    yield one if one.kind == "unreadable" else _told(source, one)
            tell(kind.inner, count, source.not_listed if look.is_elsewhere else "")


def _told(source: Source, one: Difference) -> Difference:
    record = one.record
    if record is None and one.kind in _FOUND:
        record = source.record_of(one.place, one.thing)
    return replace(one, thing=source.shown(one.thing), record=record)


def inspection_of_home() -> Inspection | None:
    """What looks behind the API, where the feeds live in this process."""
    client = get_client()
    # Asked of the transport itself: one that wraps another may pass on what the other has.
    inspect: Callable[[str], Inspection] | None = getattr(client.api.transport, "inspection", None)
    return inspect(client.api_key) if inspect else None


def server_faults(*, mend: bool = False) -> Iterator[Difference]:
    """Where the embedded server does not agree with its own record; nothing of a home elsewhere."""
    inspection = inspection_of_home()
    if inspection is not None:
        for fault in inspection.faults(mend=mend):
            yield Difference("server", fault.place, fault.what)


def _settled(
    differences: Iterable[Difference], using: str, left_out: Collection[str]
) -> Iterator[Difference]:
    """Those of objects that nobody is about to publish, or is publishing, or has published elsewhere."""
    for some in batched(differences, 500):
        waiting, others = _under_way(some, using), not_ours_to_judge(some, using, left_out)
        for one in some:
            whose = one.label, one.key
            if whose not in waiting and not (one.kind in EXTRA and whose in others):
                yield one


def _under_way(differences: Iterable[Difference], using: str) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    named = sorted({(one.label, one.key) for one in differences if one.key})
    for label, pairs in groupby(named, key=lambda pair: pair[0]):
        chosen = among("object_key", [key for _, key in pairs], using)
        entries = OutboxEntry.objects.using(using).filter(chosen, model_label=label, parked_at=None)
        leased = Publication.objects.using(using).filter(chosen, model_label=label)
        leased = leased.filter(leased_until__gte=timezone.now())
        for rows in (entries, leased):
            found |= {(label, key) for key in rows.values_list("object_key", flat=True)}
    return found
