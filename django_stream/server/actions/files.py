"""Files are stored and deleted: the bytes in the storage, their owner in the database."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from typing import IO

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.utils.text import get_valid_filename

from django_stream.protocol.errors import invalid
from django_stream.protocol.messages import Upload
from django_stream.server.conf import server_settings
from django_stream.server.events.event import Event, Fields, fields_of
from django_stream.server.events.recording import record
from django_stream.server.feed_store import database, ensure_application
from django_stream.server.files import images, kinds
from django_stream.server.files.images import Resizing
from django_stream.server.files.uploads import spooled
from django_stream.server.files.urls import storage
from django_stream.server.models import StoredFile
from django_stream.server.models.files import new_file_key
from django_stream.server.validation import missing

NAME_LENGTH = 100


def store(application_id: int, user_id: str, upload: Upload) -> StoredFile:
    """Keep a file as it is."""
    with spooled(upload) as file:
        content_type = kinds.content_type_of(file.read(kinds.HEAD_BYTES))
        file.seek(0)
        allowed = server_settings.FILE_TYPES
        if allowed and content_type not in allowed:
            raise invalid(f"File type {content_type} is not supported")
        made = StoredFile(application_id=application_id, user_id=user_id, content_type=content_type)
        return _keep(made, upload.name, file)


def store_image(application_id: int, user_id: str, upload: Upload) -> StoredFile:
    """Keep an image, turned upright and without what its file tells about its maker."""
    with spooled(upload) as file:
        content, content_type = images.cleaned(file)
    made = StoredFile(
        application_id=application_id, user_id=user_id, content_type=content_type, is_image=True
    )
    return _keep(made, upload.name, content)


def resize(original: StoredFile, resizing: Resizing) -> StoredFile:
    """Another size of an image, made once and then found again."""
    known = StoredFile.objects.using(database()).filter(source=original.key, variant=resizing.name)
    if (found := known.first()) is not None:
        return found
    try:
        with storage().open(original.name) as file:
            content, content_type = images.resized(file, resizing)
    except FileNotFoundError as error:
        raise missing("image", original.base_name) from error
    made = StoredFile(
        application_id=original.application_id,
        user_id=original.user_id,
        content_type=content_type,
        is_image=True,
        source=original.key,
        variant=resizing.name,
    )
    try:
        return _keep(made, original.base_name, content)
    except IntegrityError:  # somebody else made it meanwhile
        return known.get()


def delete(file: StoredFile) -> None:
    """Delete a file. What was made from it has an address of its own, and stays."""
    with transaction.atomic(using=database()):
        if StoredFile.objects.using(database()).filter(pk=file.pk).delete()[0]:
            record([_event(file, "delete", before=fields_of(file))])
        transaction.on_commit(partial(storage().delete, file.name), using=database(), robust=True)


def _keep(made: StoredFile, name: str, content: IO[bytes]) -> StoredFile:
    ensure_application(made.application_id)
    made.key = new_file_key()
    made.size = content.seek(0, os.SEEK_END)
    content.seek(0)
    wanted = f"stream/{made.application_id}/{made.key}/{_safe(name)}"
    made.name = storage().save(wanted, File(content), max_length=255)
    try:
        with transaction.atomic(using=database()):
            made.save(using=database(), force_insert=True)
            record([_event(made, "create", on_behalf_of=made.user_id, after=fields_of(made))])
    except BaseException:
        with suppress(OSError):
            storage().delete(made.name)
        raise
    return made


def _event(
    file: StoredFile,
    action: str,
    *,
    on_behalf_of: str = "",
    before: Fields | None = None,
    after: Fields | None = None,
) -> Event:
    return Event(
        file.application_id,
        "file",
        file.public_id,
        action,
        on_behalf_of=on_behalf_of,
        before=before,
        after=after,
        details={"name": file.base_name},
    )


def _safe(name: str) -> str:
    """A name that is one part of a path and fits; its end is what tells people about it."""
    try:
        safe = get_valid_filename(name.replace("\\", "/").rpartition("/")[2])
    except SuspiciousFileOperation:
        return "file"
    return safe[-NAME_LENGTH:]
