"""Each model twice or more: as a package has it, and tracked; both orders of the bases where that matters."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from parler.models import TranslatableModel, TranslatedFields
from polymorphic.models import PolymorphicModel
from safedelete.models import SafeDeleteModel
from simple_history.models import HistoricalRecords
from taggit.managers import TaggableManager

from django_stream.models import ActivityMixin


class Record(models.Model):
    """What every row has."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    title = models.CharField(max_length=50)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True


class ShowsTitle:
    extra = ("title",)


class Bin(SafeDeleteModel, Record):
    pass


class BinFirst(ActivityMixin, SafeDeleteModel, Record):
    class Activity(ShowsTitle):
        @staticmethod
        def should_publish(row: Any) -> bool:
            return row.deleted is None


class BinLast(SafeDeleteModel, Record, ActivityMixin):
    class Activity(BinFirst.Activity):
        pass


class Item(PolymorphicModel, Record):
    pass


class Book(Item):
    pages = models.IntegerField(default=0)


class ItemFirst(ActivityMixin, PolymorphicModel, Record):
    class Activity(ShowsTitle):
        pass


class BookFirst(ItemFirst):
    pages = models.IntegerField(default=0)


class ItemLast(PolymorphicModel, Record, ActivityMixin):
    class Activity(ShowsTitle):
        pass


class BookLast(ItemLast):
    pages = models.IntegerField(default=0)


class Chronicle(Record):
    history = HistoricalRecords()


class ChronicleFirst(ActivityMixin, Record):
    history = HistoricalRecords()

    class Activity(ShowsTitle):
        pass


class Draft(Record):
    """Its versions are kept by django-reversion: see apps.py."""


class DraftFirst(ActivityMixin, Record):
    class Activity(ShowsTitle):
        pass


class Leaflet(TranslatableModel):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    shelf = models.IntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    translations = TranslatedFields(title=models.CharField(max_length=50))


class LeafletFirst(ActivityMixin, TranslatableModel):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    shelf = models.IntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    translations = TranslatedFields(title=models.CharField(max_length=50))

    class Activity(ShowsTitle):
        pass


class LeafletLast(TranslatableModel, ActivityMixin):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    shelf = models.IntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    translations = TranslatedFields(title=models.CharField(max_length=50))

    class Activity(ShowsTitle):
        pass


class Sign(Record):
    """Its title has a column for each language: see translation.py."""


class SignFirst(ActivityMixin, Record):
    class Activity(ShowsTitle):
        pass


class Photo(Record):
    tags = TaggableManager()


class PhotoFirst(ActivityMixin, Record):
    tags = TaggableManager()

    class Activity(ShowsTitle):
        pass
