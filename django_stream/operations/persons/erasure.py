"""A person is erased everywhere, and then looked for everywhere."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from django_stream.backends import get_client
from django_stream.database.tables import has_table
from django_stream.operations import checkpoints
from django_stream.operations.persons import home, tables
from django_stream.operations.taking_over import take_over
from django_stream.operations.verify import inspection_of_home
from django_stream.protocol.persons import Mention, Person
from django_stream.publishing.drain import drain
from django_stream.publishing.models import Publication

# Of tables where a name may rightly stay, why it does. Anywhere else the erasure has not ended.
_OTHERS_WORDS = "words of others, who name them: to be judged by people"
_REASONS = {
    "activity": _OTHERS_WORDS,
    "reaction": _OTHERS_WORDS,
    "collectionentry": _OTHERS_WORDS,
    "streamuser": _OTHERS_WORDS,
    "moderationflag": _OTHERS_WORDS,
    "moderationstatus": _OTHERS_WORDS,
    "recordedactivity": _OTHERS_WORDS,
    "outboxentry": "a change of the site's own row, which waits: gone when it is published or pruned",
    "checkpoint": "the place of a run that has not ended: gone when it ends",
    "streamfilter": "a filter that an application made: change it there",
    "appstream": "a stream that an application made: change it there",
    "filedeletion": "bytes of deleted files that the storage has not deleted: this command tries it again, "
    "as does stream_server_maintain",
    "auditlog": "kept until STREAM_SERVER_AUDIT_LOG_DAYS have gone by",
}
# What was their file, and not another's whose name has a word of theirs.
_UNDELETED = ("filedeletion", "user_id")
# A user may be called "like", and a topic have a user's number: nothing of that is erased.
_DOUBTS = {
    "": "",
    "word": _OTHERS_WORDS,
    "feed": "a feed of a group that is not known to be of users: name the group with --feeds to erase it",
}
_NAMESPACE = uuid.UUID("0b1c2f1e-6f5e-4d0a-8f0b-3d1a52c5a7e9")
_SITE = "the site's own row: yours to delete; as long as it is there, stream_backfill publishes what it says"


class OutOfReach(Exception):
    """The API cannot be reached: nothing was erased."""


@dataclass(frozen=True, slots=True)
class Stays:
    """Something that still names the person."""

    where: str
    count: int
    why: str
    """Empty when it should be gone, and nothing more is known."""
    is_unfinished: bool = False
    """Whether it should be gone."""


def erase(
    person: Person, using: str = "default", *, keep_audit_log: bool = False
) -> Iterator[tuple[str, int]]:
    """Erase a person, step by step: what was erased, and how much. Killed, it goes on when begun again.

    What waits in the outbox is published first, such as the deletion of their rows.
    """
    is_ours = has_table(Publication, using)
    token = _begin(person, using) if is_ours else uuid.uuid4()
    if drain(using, token=token).out_of_reach:
        raise OutOfReach
    inspection = inspection_of_home()
    if is_ours:
        yield "recorded activities", tables.erase_recorded(person, using, token)
        yield "preferences and dismissals", tables.erase_own(person, using)
        yield "mirrored rows", tables.erase_mirrored(person, using)
    if inspection is None:
        yield from home.erase(get_client(), person)
    else:
        yield from inspection.erase(person, keep_audit_log=keep_audit_log)
    if is_ours:
        yield "ledger", tables.erase_ledger(person, using)
        checkpoints.forget([_checkpoint_of(person)], using)


def _begin(person: Person, using: str) -> uuid.UUID:
    """The token of this run's leases; what runs before it held, killed or not, is this one's now."""
    run = checkpoints.begin(_checkpoint_of(person), using, {}, resume=True)
    if run.earlier:
        take_over(run.earlier, using, run.token)
    return run.token


def _checkpoint_of(person: Person) -> str:
    """A name that does not name the person."""
    return f"stream_person erase {uuid.uuid5(_NAMESPACE, chr(10).join(sorted(person.user_ids)))}"


def what_stays(person: Person, using: str = "default") -> Iterator[Stays]:
    """Look for the person in every table of ours, and for rows of the site that lead to them."""
    for label, count in tables.site_rows(person, using):
        yield Stays(label, count, _SITE)
    for label, count in tables.refusals(person, using):
        yield Stays(label, count, "a refusal of e-mails, which goes with the user's own row")
    inspection = inspection_of_home()
    found = Counter((one.table, one.column, _reason(one)) for one in tables.mentions(person, using))
    if inspection is not None:
        found.update((one.table, one.column, _reason(one)) for one in inspection.mentions(person))
    for (table, column, why), count in sorted(found.items()):
        is_unfinished = not why or (_kind(table), column) == _UNDELETED
        yield Stays(f"{table}.{column}", count, why, is_unfinished)
    if inspection is None:
        yield Stays("the API", 1, "files, logs and collections without a row here: ask who runs it")


def _reason(mention: Mention) -> str:
    return _REASONS.get(_kind(mention.table)) or _DOUBTS[mention.doubt]


def _kind(table: str) -> str:
    return table.rpartition("_")[2]
