"""`manage.py stream_person export USER FILE.zip` and `stream_person erase USER`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from django_stream.management.commands._family import FamilyCommand, Unfinished, WrongUse
from django_stream.operations.persons.archive import export, held
from django_stream.operations.persons.erasure import OutOfReach, erase, what_stays
from django_stream.operations.persons.identity import UnknownPerson, person_of
from django_stream.protocol.persons import Person


class Command(FamilyCommand):
    help = (
        "export: everything that is stored of one user, as a zip file with JSON and a page. "
        "erase: all of it is deleted and looked for again; what stays is told with its reason. "
        "Killed, an erasure goes on when it is begun again."
    )

    example = "export ada ada.zip"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=("export", "erase"), help="what to do")
        parser.add_argument(
            "user", metavar="USER", help="a key, a user name, or FIELD=VALUE such as email=ada@example.org"
        )
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE.zip", help="export: a new file")
        super().add_arguments(parser)
        parser.add_argument(
            "--feeds",
            nargs="+",
            default=(),
            metavar="GROUP",
            help="more feed groups whose feeds are of users, such as wall",
        )
        parser.add_argument(
            "--keep-audit-log", action="store_true", help="erase: leave the audit log as it is"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        action, using, file = options["action"], options["database"], options["file"]
        if (action == "export") != (file is not None):
            raise WrongUse("say `stream_person export USER FILE.zip` or `stream_person erase USER`")
        try:
            person = person_of(options["user"], using, options["feeds"])
        except UnknownPerson as error:
            raise WrongUse(str(error)) from error
        if options["dry_run"]:
            self._preview(person, using)
        elif action == "export":
            self._export(person, file, using)
        else:
            self._erase(person, using, keep_audit_log=options["keep_audit_log"])

    def _preview(self, person: Person, using: str) -> None:
        counts = Counter(one.section for one in held(person, using))
        for section, count in counts.items():
            self.tell(f"{section}: {count}", section=section, count=count)
        self.conclude(f"{counts.total()} items are stored", items=counts.total())

    def _export(self, person: Person, file: Path, using: str) -> None:
        if file.exists():
            raise WrongUse(f"{file} exists already")
        if not file.parent.is_dir():
            raise WrongUse(f"{file.parent} is no folder")
        counts = export(person, file, using)
        for section, count in counts.items():
            self.tell(f"{section}: {count}", section=section, count=count)
        self.conclude(f"{sum(counts.values())} items are in {file.name}", items=sum(counts.values()))

    def _erase(self, person: Person, using: str, *, keep_audit_log: bool) -> None:
        total = 0
        try:
            for what, count in erase(person, using, keep_audit_log=keep_audit_log):
                total += count
                if count:
                    self.tell(f"{what}: {count} erased", what=what, erased=count)
        except OutOfReach as error:
            raise Unfinished("the API is out of reach: nothing was erased") from error
        unfinished = 0
        for one in what_stays(person, using):
            unfinished += one.count if one.is_unfinished else 0
            why = one.why or "should be gone: run the command again"
            self.tell(f"stays: {one.where}, {one.count}: {why}", stays=one.where, count=one.count, why=why)
        remaining = f"{unfinished} places still name them: run the command again" if unfinished else ""
        self.conclude("" if remaining else "erased", remaining=remaining, erased=total)
