"""Mending what a comparison has found, and nothing else."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction

from django_stream.backends import get_client
from django_stream.client import StreamClient
from django_stream.conf import stream_settings
from django_stream.database.batches import batched
from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.operations import checkpoints
from django_stream.operations.checkpoints import Progress
from django_stream.operations.comparison import Difference
from django_stream.operations.taking_over import take_over
from django_stream.operations.wanted_follows import wanted_follows
from django_stream.protocol import limits
from django_stream.publishing import ledger
from django_stream.publishing.ledger import LeasedObject
from django_stream.publishing.objects import publish_objects
from django_stream.publishing.publisher import Record
from django_stream.publishing.report import DrainReport

_CHUNK = 500


def repair(
    differences: Iterable[Difference],
    using: str = "default",
    *,
    tell: Callable[[Difference], object] = lambda one: None,
    token: uuid.UUID | None = None,
) -> DrainReport:
    """Publish the objects that differ, take out what is nobody's, and return what became of it.

    What was found is written into the ledger first. So a repair that is killed leaves nothing that
    the next publishing of the object would not take out. `token` is that of its leases.
    """
    client, total, token = get_client(), DrainReport(), token or uuid.uuid4()
    for some in batched(differences, _CHUNK):
        for one in some:
            tell(one)
        total += _mend(some, using, client, token)
    return total


def begin(kind: str, using: str, options: dict[str, Any], *, resume: bool) -> Progress:
    """A run over one kind of models; with `resume`, it is done if a killed one had ended it."""
    run = checkpoints.begin(checkpoint_of(kind), using, options, resume=resume)
    if run.earlier:
        take_over(run.earlier, using, run.token)
    return run


def checkpoint_of(kind: str) -> str:
    """The name of the checkpoint of a run."""
    return f"stream_repair {kind}"


def _mend(differences: list[Difference], using: str, client: StreamClient, token: uuid.UUID) -> DrainReport:
    total = DrainReport()
    records: dict[str, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for one in differences:
        if one.key and one.kind not in ("unreadable", "server"):
            records[one.label][one.key] += [one.record] if one.record else []
    for label, found in records.items():
        _write_down(label, found, using)
        total += publish_objects(label, sorted(found), using, client=client, token=token, force=True)
    nameless = [one.record for one in differences if not one.key and one.record]
    follows = [record for record in nameless if "source" in record]
    reactions = [record["id"] for record in nameless if "activity_id" in record]
    ended = sum(_end(part, client) for part in batched(follows, limits.FOLLOWS_PER_REQUEST))
    for ids in batched(reactions, limits.ACTIVITIES_PER_REQUEST):
        client.data_privacy.delete_reactions(ids)
    return total + DrainReport(published=ended + len(reactions))


def _end(follows: list[Record], client: StreamClient) -> int:
    """End follows that nobody meant when they were compared, and nobody means since; how many those are."""
    wanted = wanted_follows(follows)
    ended = [one for one in follows if one not in wanted]
    if not ended:
        return 0
    client.unfollow_many(ended)
    # Who began to follow in between was told before the follow ended: a row that came later tells again.
    if begun := wanted_follows(ended):
        client.follow_many(begun, stream_settings.ACTIVITY_COPY_LIMIT)
    return len(ended) - len(begun)


@retry_on_deadlock
def _write_down(label: str, found: dict[str, list[Record]], using: str) -> None:
    objects = [LeasedObject(0, key, records, "", 0) for key, records in found.items() if records]
    if objects:
        with transaction.atomic(using):
            ledger.reopen(label, objects, using)
