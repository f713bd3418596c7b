"""Ways in the admin between a row, what waits for it, what the feeds have of it, and the feeds themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from django.apps import apps
from django.contrib.admin import AdminSite
from django.contrib.admin.utils import quote
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from django_stream.activities.model_references import clean_pk, parse_reference
from django_stream.publishing.models import OutboxEntry, Publication
from django_stream.publishing.publisher import publishers_of

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


class Link(NamedTuple):
    """A text and where it leads."""

    text: str
    url: str


def row_url(site: AdminSite, request: HttpRequest, label: str, key: str) -> str:
    """The page of the row that a publisher's label and a key name; "" where there is none to be looked at."""
    try:
        model = apps.get_model(label.partition("#")[0])
    except (LookupError, ValueError):
        return ""
    pk = clean_pk(model, key)
    return "" if pk is None or not _may_look(site, request, model) else _change_url(site, model, pk)


def url_of_foreign_id(site: AdminSite, request: HttpRequest, foreign_id: str) -> str:
    """The page of the row that an activity is of."""
    reference = parse_reference(foreign_id)
    return row_url(site, request, reference.model._meta.label, reference.object_id) if reference else ""


def feed_url(site: AdminSite, request: HttpRequest, feed_id: str) -> str:
    """The page that tells what is in a feed."""
    if not _may_look(site, request, Publication):
        return ""
    return reverse("admin:django_stream_publication_feed", args=[feed_id], current_app=site.name)


def links_of_row(site: AdminSite, request: HttpRequest, row: models.Model) -> Iterator[Link]:
    """From a row to what waits, to the ledger, and to the feeds that may have it."""
    for publisher in publishers_of(row.__class__):
        for key in publisher.keys_of(row):
            yield from links_of_object(site, request, publisher.label, key)
            for known in Publication.objects.filter(model_label=publisher.label, object_key=key):
                yield from links_of_feeds(site, request, known)


def links_of_feeds(site: AdminSite, request: HttpRequest, publication: Publication) -> Iterator[Link]:
    """From the ledger to the feeds that may have an object."""
    for feed_id in feeds_of(publication):
        if url := feed_url(site, request, feed_id):
            yield Link(feed_id, url)


def feeds_of(publication: Publication) -> list[str]:
    """The feeds that may have an object."""
    records: list[dict[str, Any]] = publication.records
    named = ([record.get("feed"), *record.get("to", ())] for record in records)
    return list(dict.fromkeys(feed for some in named for feed in some if isinstance(feed, str)))


def links_of_object(site: AdminSite, request: HttpRequest, label: str, key: str) -> Iterator[Link]:
    """To the entries of an object and to its place in the ledger."""
    for model, text in ((OutboxEntry, _("outbox entries: %d")), (Publication, _("ledger"))):
        count = model._default_manager.filter(model_label=label, object_key=key).count()
        if count and _may_look(site, request, model):
            url = reverse(f"admin:django_stream_{model._meta.model_name}_changelist", current_app=site.name)
            query = urlencode({"model_label__exact": label, "object_key__exact": key})
            yield Link(text % count if "%d" in text else text, f"{url}?{query}")


def _may_look(site: AdminSite, request: HttpRequest, model: type[models.Model]) -> bool:
    if not site.is_registered(model):
        return False
    page: ModelAdmin[Any] = site.get_model_admin(model)
    return page.has_view_permission(request)


def _change_url(site: AdminSite, model: type[models.Model], pk: Any) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
    return reverse(name, args=[quote(pk)], current_app=site.name)
