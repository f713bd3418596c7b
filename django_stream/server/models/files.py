"""Uploaded files and other sizes of images."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.db import models, transaction
from django.utils import timezone

from django_stream.server.models.applications import Application


def new_file_key() -> str:
    """A random key that cannot be guessed: the file can be read by those who know its URL only."""
    return secrets.token_urlsafe(24)


def _public_id(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


class StoredFiles(models.QuerySet["StoredFile"]):
    """Files, whose rows go only together with a note of the bytes that are to go after them."""

    _PAGE = 500

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete rows page by page, however many; each page is noted before in the same transaction."""
        # The database of `using`, or else the one for writing: a replica holds nothing to be locked.
        wanted, count = self.select_for_update().order_by("pk"), 0
        with transaction.atomic(using=wanted.db):
            while page := list(wanted.only("pk", "application_id", "user_id", "name")[: self._PAGE]):
                FileDeletion.objects.using(wanted.db).note(page)
                rows = StoredFiles(self.model, using=wanted.db).filter(pk__in=[one.pk for one in page])
                count += super(StoredFiles, rows).delete()[0]
        return count, {self.model._meta.label: count} if count else {}

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class StoredFile(models.Model):
    """One file in the storage. Its key is part of its URL."""

    key = models.CharField(max_length=64, primary_key=True, default=new_file_key)
    application = models.ForeignKey(Application, models.CASCADE, related_name="+")
    user_id = models.CharField("owner", max_length=255, blank=True)
    """Who uploaded it; empty for the application itself."""
    name = models.CharField(max_length=255)
    """The name in the storage; its last part is what the file was called."""
    is_image = models.BooleanField(default=False)
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    source = models.CharField(max_length=64, blank=True)
    """Key of the image that this one was made from."""
    variant = models.CharField(max_length=64, blank=True)
    """Which size this is, so that each is made once."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = StoredFiles.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "variant"], condition=~models.Q(source=""), name="dss_file_variant"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def delete(self, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """Delete the row as a queryset does: with a note of its bytes."""
        rows = StoredFile.objects.using(using) if using else StoredFile.objects.all()
        return rows.filter(pk=self.pk).delete()

    @property
    def public_id(self) -> str:
        """A name for the file that does not give access to it."""
        return _public_id(self.key)

    @property
    def base_name(self) -> str:
        return self.name.rpartition("/")[2]


class FileDeletions(models.QuerySet["FileDeletion"]):
    """Files without a row, whose bytes the storage may have."""

    def note(self, files: list[StoredFile]) -> None:
        """Write down that the bytes of these files are to go; to be called where their rows go."""
        now = timezone.now()
        notes = [FileDeletion.of(one, now) for one in files]
        # What is noted already is to go once.
        self.bulk_create(notes, ignore_conflicts=True)


class FileDeletion(models.Model):
    """A deleted file whose bytes the storage has not deleted yet, or one that has no row yet.

    No name is used twice.
    """

    name = models.CharField(max_length=255, primary_key=True)
    application_id = models.BigIntegerField()
    """Which may be gone itself."""
    user_id = models.CharField("owner", max_length=255, blank=True)
    """Whose it was, so that an erasure can tell what is left of them. It goes with the bytes."""
    noted_at = models.DateTimeField(default=timezone.now, editable=False)
    """When it was deleted; of a file that is on its way, when it is taken for one that never arrived."""
    due_at = models.DateTimeField(default=timezone.now, db_index=True)
    """When it is tried next; later while a worker is at it."""

    objects = FileDeletions.as_manager()

    @classmethod
    def of(cls, file: StoredFile, due_at: datetime) -> FileDeletion:
        """A note, not saved yet, of a file whose bytes are to go then."""
        return cls(
            name=file.name,
            application_id=file.application_id,
            user_id=file.user_id,
            noted_at=due_at,
            due_at=due_at,
        )

    def __str__(self) -> str:
        return self.public_id

    @property
    def base_name(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def public_id(self) -> str:
        """As that of the file: its key is the folder's name."""
        return _public_id(self.name.rpartition("/")[0].rpartition("/")[2])
