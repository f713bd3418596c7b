"""`manage.py stream_listen KEY`: follow what happens, for a search index, a bot or a queue."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from django_stream.backends import get_client
from django_stream.client.exceptions import EventsMissing, StreamApiException
from django_stream.client.listening import StreamEvent


class Command(BaseCommand):
    help = (
        "Follow a stream: print each event as a line of JSON, or call a function with it. After a restart "
        "it goes on where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help="key or id of the stream")
        parser.add_argument(
            "--types", help="create the stream with these types, or change it: activity,reaction,…"
        )
        parser.add_argument("--handler", help="dotted path of a function that is called with each event")
        parser.add_argument("--cursor", type=Path, help="file that keeps the id of the last event handled")
        parser.add_argument("--last-event-id", help="begin after this event")
        parser.add_argument("--count", type=int, default=0, help="end after so many events")

    def handle(self, *args: Any, **options: Any) -> None:
        client, key = get_client(), options["key"]
        handler = import_string(options["handler"]) if options["handler"] else self._print
        cursor_file: Path | None = options["cursor"]
        try:
            if options["types"]:
                client.streams.ensure(key, options["types"].split(","))
            cursor = options["last_event_id"] or _kept(cursor_file)
            for number, event in enumerate(client.streams.listen(key, last_event_id=cursor), 1):
                self._handle(event, handler, cursor_file)
                if number == options["count"]:
                    return
        except EventsMissing as error:
            raise CommandError(f"{error}: rebuild what you derive, and begin without a cursor") from error
        except StreamApiException as error:
            raise CommandError(str(error)) from error

    def _handle(self, event: StreamEvent, handler: Callable[[StreamEvent], Any], kept: Path | None) -> None:
        handler(event)
        if kept is not None:
            _keep(kept, event.event_id)

    def _print(self, event: StreamEvent) -> None:
        line = {name: getattr(event, name) for name in StreamEvent.__dataclass_fields__}
        self.stdout.write(json.dumps(line))
        self.stdout.flush()


def _kept(path: Path | None) -> str | None:
    return path.read_text().strip() or None if path is not None and path.exists() else None


def _keep(path: Path, event_id: str) -> None:
    """All of it or nothing, whenever the process is killed."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(event_id)
    os.replace(beside, path)
