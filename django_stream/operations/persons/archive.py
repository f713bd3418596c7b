"""An export as one file that people can read: JSON by section, their files, and a page over all."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.template import Context, Engine
from django.utils import timezone

from django_stream.backends import get_client
from django_stream.database.tables import has_table
from django_stream.operations.persons import home, tables
from django_stream.operations.verify import inspection_of_home
from django_stream.protocol.inspection import Inspection
from django_stream.protocol.persons import Held, Person
from django_stream.publishing.models import Publication

_SHOWN = 200
_TEMPLATES = Path(__file__).parents[2] / "templates"


def held(person: Person, using: str = "default") -> Iterator[Held]:
    """Everything that is stored of a person, section by section."""
    yield from home.held(get_client(), person)
    inspection = inspection_of_home()
    if inspection is None:
        yield from home.held_follows(get_client(), person)
    else:
        yield from inspection.held(person)
    if has_table(Publication, using):
        yield from tables.held(person, using)


def export(person: Person, path: Path, using: str = "default") -> dict[str, int]:
    """Write all of it to a new zip file; returns how much of each section. No half-written file stays.

    Items go to the file one after the other, and only the first of each section to the page.
    """
    partial = path.with_name(f"{path.name}.part")
    try:
        with _private(partial) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            counts = _fill(archive, person, using)
        os.replace(partial, path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    return counts


def _private(path: Path) -> IO[bytes]:
    """A new file that nobody else may read: what is in it is personal."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")


def _fill(archive: zipfile.ZipFile, person: Person, using: str) -> dict[str, int]:
    """Items of one section come together, and none is kept."""
    inspection = inspection_of_home()
    counts: dict[str, int] = {}
    shown: dict[str, list[Any]] = {}
    files: list[str] = []
    by_section = groupby(held(person, using), key=lambda one: one.section)
    for section, items in by_section:
        with _list_of(archive, f"{_name(section)}.json") as write:
            for one in items:
                write(one.item)
                counts[section] = counts.get(section, 0) + 1
                if len(shown.setdefault(section, [])) < _SHOWN:
                    shown[section].append(_pairs(one.item))
                files += [one.path] if one.path else []
    for number, file in enumerate(files):
        _add_file(archive, file, number, inspection)
    archive.writestr("index.html", _page(person, counts, shown))
    return counts


@contextmanager
def _list_of(archive: zipfile.ZipFile, name: str) -> Iterator[Any]:
    """A JSON list in the archive, one item after the other."""
    with archive.open(name, "w", force_zip64=True) as stream:
        separator = "[\n"

        def write(item: Any) -> None:
            nonlocal separator
            text = json.dumps(item, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
            stream.write(f"{separator}{text}".encode())
            separator = ",\n"

        yield write
        stream.write(b"\n]\n")


def _add_file(archive: zipfile.ZipFile, path: str, number: int, inspection: Inspection | None) -> None:
    assert inspection is not None, "only an inspected home tells of files"
    try:
        content: IO[bytes] = inspection.opened(path)
    except OSError:  # the storage has lost it; its name is in files.json
        return
    with content, archive.open(f"files/{number}_{PurePosixPath(path).name}", "w", force_zip64=True) as stream:
        shutil.copyfileobj(content, stream)


def _name(section: str) -> str:
    return section.replace(" ", "_")


def _pairs(item: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (
            name,
            value if isinstance(value, str) else json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False),
        )
        for name, value in item.items()
        if value not in (None, "", [], {})
    ]


def _page(person: Person, counts: dict[str, int], shown: dict[str, list[Any]]) -> str:
    """By an engine of its own: the site's templates may be of another one."""
    template = Engine(dirs=[str(_TEMPLATES)]).get_template("django_stream/person/index.html")
    sections = [
        {"title": section, "file": f"{_name(section)}.json", "count": count, "items": shown[section]}
        for section, count in counts.items()
    ]
    context = {"person": sorted(person.user_ids)[0], "sections": sections, "moment": timezone.now()}
    return str(template.render(Context(context)))
