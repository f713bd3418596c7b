"""`manage.py stream_webhooks`: post events of streams to their webhooks, as they happen."""

from __future__ import annotations

import threading
from typing import Any

from django.core.management.base import CommandParser

from django_stream.database.commands import DatabaseCommand
from django_stream.server.conf import server_settings
from django_stream.server.streams import webhooks
from django_stream.server.streams.wakers import Waker


class Command(DatabaseCommand):
    help = "Post the events of streams to their webhooks, until it is ended; several may run at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="deliver what is due, and end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            self.stdout.write(f"{webhooks.deliver_due()} requests were delivered")
            return
        woken = threading.Event()
        waker = Waker(woken.set)
        try:
            while True:
                webhooks.deliver_due()
                woken.wait(server_settings.STREAMS_POLL_SECONDS)
                woken.clear()
        finally:
            waker.stop()
