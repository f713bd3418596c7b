"""`manage.py stream_server_maintain`: regular maintenance, for cron."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from django_stream.database.commands import DatabaseCommand
from django_stream.server.actions import reaction_counts, reaction_jobs, reactions, removal_jobs
from django_stream.server.events import audit_log
from django_stream.server.fanout import jobs as fanout
from django_stream.server.files import deletions
from django_stream.server.maintenance import heal_orphans
from django_stream.server.streams import log as stream_log
from django_stream.server.streams import status
from django_stream.server.timelines import group_marks, timelines


class Command(DatabaseCommand):
    help = (
        "Run what a killed process left behind (large fan-outs, deletions of many reactions, marks of many "
        "groups), delete old entries of the audit log and of the log of streams and bytes of deleted files "
        "and, with --orphans, take activities that do not exist off all feeds."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--idle", type=float, default=300.0, help="seconds after which a job counts as left behind"
        )
        parser.add_argument(
            "--orphans",
            action="store_true",
            help="look through all feeds, which takes a while on large servers",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kinds = (fanout, reaction_jobs, removal_jobs, group_marks)
        resumed = sum(jobs.resume(options["idle"]) for jobs in kinds)
        pruned = audit_log.prune()
        reactions.prune_places()
        reaction_counts.prune()
        timelines().prune()
        events = stream_log.prune()
        status.forget_the_gone()
        self.stdout.write(
            f"{resumed} jobs resumed, {pruned} audit log entries and {events} events of streams deleted"
        )
        self._delete_files()
        if options["orphans"]:
            self.stdout.write(f"{heal_orphans()} feeds listed activities that do not exist, and were healed")

    def _delete_files(self) -> None:
        """Last of what is always done, since a storage that does not answer takes long."""
        done, left = deletions.delete_due(), deletions.waiting()
        if done.gone:
            self.stdout.write(f"the bytes of {done.gone} deleted files are gone from the storage")
        if left.number:
            self.stdout.write(
                f"{left.number} deleted files have their bytes in the storage still, the oldest for "
                f"{left.seconds:.0f} s; {done.failed} failed now, see the log"
            )
