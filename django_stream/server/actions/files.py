"""Files are stored and deleted: the bytes in the storage, their owner in the database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.utils.text import get_valid_filename

from django_stream.database.bulk_sql import among, is_filled
from django_stream.protocol.errors import invalid
from django_stream.protocol.messages import Upload
from django_stream.server import turns
from django_stream.server.conf import server_settings
from django_stream.server.events.event import Event, current_caller
from django_stream.server.events.recording import record
from django_stream.server.feed_store import database, ensure_application
from django_stream.server.files import deletions, images, kinds
from django_stream.server.files.images import Resizing
from django_stream.server.files.uploads import spooled
from django_stream.server.files.urls import storage
from django_stream.server.models import StoredFile
from django_stream.server.models.files import new_file_key
from django_stream.server.validation import missing

NAME_BYTES = 100


def store(application_id: int, user_id: str, upload: Upload) -> StoredFile:
    """Keep a file as it is."""
    with spooled(upload) as file:
        content_type = kinds.content_type_of(file.read(kinds.HEAD_BYTES))
        file.seek(0)
        allowed = server_settings.FILE_TYPES
        if allowed and content_type not in allowed:
            raise invalid(f"File type {content_type} is not supported")
        file_row = StoredFile(application_id=application_id, user_id=user_id, content_type=content_type)
        return _store(file_row, upload.name, file)


def store_image(application_id: int, user_id: str, upload: Upload) -> StoredFile:
    """Keep an image, turned upright and without the metadata of its file."""
    with spooled(upload) as file, turns.images.turn(application_id, current_caller()):
        content, content_type = images.cleaned(file)
    file_row = StoredFile(
        application_id=application_id, user_id=user_id, content_type=content_type, is_image=True
    )
    return _store(file_row, upload.name, content)


def resize(original: StoredFile, resizing: Resizing) -> StoredFile:
    """Another size of an image: made when first asked for, then found again."""
    known = StoredFile.objects.using(database()).filter(
        is_filled("source"), source=original.key, variant=resizing.name
    )
    if (found := known.first()) is not None:
        return found
    _check_sizes(original)
    try:
        with (
            storage().open(original.name) as file,
            turns.images.turn(original.application_id, current_caller()),
        ):
            content, content_type = images.resized(file, resizing)
    except FileNotFoundError as error:
        raise missing("image", original.base_name) from error
    file_row = StoredFile(
        application_id=original.application_id,
        user_id=original.user_id,
        content_type=content_type,
        is_image=True,
        source=original.key,
        variant=resizing.name,
    )
    try:
        return _store(file_row, original.base_name, content)
    except IntegrityError:  # another request made the same size at the same time
        return known.get()


def _check_sizes(original: StoredFile) -> None:
    """Refuse one size more than an image may have, those of its sizes included, and so on."""
    first, most = original, server_settings.IMAGE_SIZES_MAX
    while first.source and (before := StoredFile.objects.using(database()).filter(pk=first.source).first()):
        first = before
    if len(list(islice(with_sizes(first), most + 1))) > most:
        raise invalid(f"at most {most} other sizes can be made of an image", "url")


def delete(file: StoredFile, *, bytes_now: bool = True) -> None:
    """Delete a file and every other size that was made of it.

    Their bytes go after the commit or, without `bytes_now`, when somebody asks for it.
    """
    with transaction.atomic(using=database()):
        # Each is locked before its sizes are looked for: none is being made of it from then on.
        gone = [one for one in with_sizes(file) if _lock(one.pk)]
        rows = StoredFile.objects.using(database()).filter(among("pk", [one.pk for one in gone], database()))
        if bytes_now:
            deletions.delete(rows)
        else:
            rows.delete()
        record([_event(one, "delete", is_gone=True) for one in gone])


def _lock(key: str) -> bool:
    """Lock a file until the transaction ends; whether it is still there."""
    return StoredFile.objects.using(database()).select_for_update().filter(pk=key).first() is not None


def with_sizes(file: StoredFile) -> Iterator[StoredFile]:
    """A file, every size that was made of it, and those that were made of these."""
    files = [file]
    for one in files:
        yield one
        files += StoredFile.objects.using(database()).filter(is_filled("source"), source=one.pk)


def _store(file_row: StoredFile, name: str, content: IO[bytes]) -> StoredFile:
    ensure_application(file_row.application_id)
    file_row.key = new_file_key()
    file_row.size = content.seek(0, os.SEEK_END)
    content.seek(0)
    wanted = f"stream/{file_row.application_id}/{file_row.key}/{_safe_name(name)}"
    file = File(content)
    # Else storages that serve files themselves go by the name, which the sender chose.
    file.content_type = file_row.content_type  # type: ignore[attr-defined]
    file_row.name = wanted
    note = deletions.expect(file_row)
    try:
        file_row.name = storage().save(wanted, file, max_length=255)
    except BaseException:
        # It may have arrived, or arrive yet; and who does not answer is not asked again at once.
        deletions.discard_later(file_row)
        raise
    try:
        with transaction.atomic(using=database()):
            if file_row.source and not _lock(file_row.source):
                raise missing("image", file_row.base_name)
            deletions.has_arrived(note)
            file_row.save(using=database(), force_insert=True)
            record([_event(file_row, "create", on_behalf_of=file_row.user_id)])
    except BaseException:
        deletions.discard(file_row)
        raise
    return file_row


def _event(file: StoredFile, action: str, **more: Any) -> Event:
    return Event.of_row(file, "file", file.public_id, action, details={"name": file.base_name}, **more)


def _safe_name(name: str) -> str:
    """A name without folders and within its length; the end is kept, for it has the file's type."""
    try:
        safe = get_valid_filename(name.replace("\\", "/").rpartition("/")[2])
    except SuspiciousFileOperation:
        return "file"
    stem, dot, ending = safe.rpartition(".")
    if dot and not stem.strip("._"):
        safe = f"file.{ending}"  # without a stem it would be a hidden file
    # File systems count bytes, and half a character is none.
    return safe.encode()[-NAME_BYTES:].decode(errors="ignore") or "file"
