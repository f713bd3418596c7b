"""Files by the address that they were given."""

from __future__ import annotations

from django_stream.database.transactions import database_to_read
from django_stream.server.files.urls import key_of
from django_stream.server.models import StoredFile
from django_stream.server.validation import missing


def by_url(application_id: int, url: str) -> StoredFile:
    """The file at an address, or the refusal that there is none."""
    rows = StoredFile.objects.using(database_to_read(StoredFile))
    found = rows.filter(application_id=application_id, key=key_of(url)).first()
    if found is None:
        raise missing("file", url)
    return found


def by_key(key: str) -> StoredFile | None:
    """The file that a key opens."""
    return StoredFile.objects.using(database_to_read(StoredFile)).filter(key=key).first()
