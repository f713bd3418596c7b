"""Very many reactions below one that is deleted or restored: all after the first step, whoever is killed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.db import transaction
from django.utils import timezone

from django_stream.database.bulk_sql import conflicts_on
from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.server import background
from django_stream.server.actions.reaction_trees import Below, hide, is_nameless, locked, remove, show
from django_stream.server.events.event import called_by, current_caller
from django_stream.server.feed_store import database
from django_stream.server.models import Reaction, ReactionJob

# More than in a request: whatever the step takes out of a large group, all of the group is counted anew.
_AT_ONCE = 500
TASK = "django_stream.server.follow_reaction"


def start(root: Reaction, done: Below) -> None:
    """Have the steps after the first one done; called in its transaction, with the reaction locked."""
    if done.last is not None:
        _write({root.pk: done.last})
        background.on_commit(TASK, run_step, root.pk)
    _start_large(done)


def _start_large(done: Below) -> None:
    """Children with too many children of their own get jobs of their own."""
    _write({row.pk: 0 for row in done.large})
    for row in done.large:
        background.on_commit(TASK, run_step, row.pk)


def _write(positions: Mapping[int, int]) -> None:
    now, caller = timezone.now(), current_caller()
    jobs = [
        ReactionJob(root=root, position=position, caller=caller, touched_at=now)
        for root, position in sorted(positions.items())
    ]
    changed = [field.name for field in ReactionJob._meta.concrete_fields if not field.primary_key]
    ReactionJob.objects.using(database()).bulk_create(
        jobs, update_fields=changed, **conflicts_on(["root"], database())
    )


def run(number: int) -> None:
    """Do all the steps of a job, each in its transaction. Several may do so at the same time."""
    while run_step(number):
        pass


def resume(idle_seconds: float) -> int:
    """Run the jobs that nothing has touched for `idle_seconds`; returns how many there were."""
    return background.resume(TASK, idle_seconds)


@retry_on_deadlock
def run_step(number: int) -> bool:
    """Do the next step below a reaction, as that is now; False when it was the last one."""
    jobs = ReactionJob.objects.using(database()).filter(root=number)
    with transaction.atomic(using=database()):
        root = locked(Reaction.objects.using(database()).filter(pk=number)).first()
        # Read under the reaction's lock, which whoever writes its job has.
        job = jobs.first()
        if root is None or job is None:
            jobs.delete()
            return False
        with called_by(job.caller):
            done = _next(root)(root, job.position, most=_AT_ONCE)
            _start_large(done)
            if done.last is None:
                jobs.delete()
                return False
            _write({number: done.last})
            return True


def _next(root: Reaction) -> Callable[..., Below]:
    """What is to be done below a reaction."""
    if is_nameless(root):
        return remove
    return show if root.deleted_at is None else hide


background.register(TASK, ReactionJob, run_step, name="root")
