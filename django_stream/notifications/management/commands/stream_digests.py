"""Send e-mails of notifications that were not seen: daily or weekly, as each user wants."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from django_stream.management.commands._family import FamilyCommand, WrongUse
from django_stream.notifications.sending import send_digests


class Command(FamilyCommand):
    help = (
        "Send the digests that are due, at most one to each user in a day or week. "
        "Call it by cron, or let Celery beat run the task django_stream.notifications.send_digests."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = send_digests(dry_run=options["dry_run"])
        except ImproperlyConfigured as error:
            raise WrongUse(str(error)) from error
        would = "would be " if options["dry_run"] else ""
        self.conclude(
            f"{report.sent} digests {would}sent, {report.empty} with nothing to tell",
            remaining=f"{report.failed} digests failed: the log says why" if report.failed else "",
            **asdict(report),
        )
