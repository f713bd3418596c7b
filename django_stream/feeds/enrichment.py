"""Enrichment: references inside activities become model instances, by one query for each model shown."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import models

from django_stream.activities.model_references import Reference, clean_pk, parse_reference
from django_stream.activities.publishers.activities import decides, is_published, with_condition
from django_stream.activities.registry import is_shown
from django_stream.activities.visibility import (
    by_hidden_authors,
    is_restricted,
    narrowed,
    viewer_of,
    visibility_of,
    with_authors,
)
from django_stream.conf import stream_settings
from django_stream.database import instances
from django_stream.database.failures import or_else
from django_stream.protocol.wire import is_group

logger = logging.getLogger("django_stream.feeds")

DEFAULT_FIELDS = ("actor", "object", "target")

_OPTIONAL = {"target"}
_Fetch = Callable[[Collection[Any]], Mapping[Any, Any]]


class MissingObject(ObjectDoesNotExist):
    """An activity refers to a row that is gone, and STREAM_MISSING_OBJECTS is "raise"."""


class EnrichedActivity(dict[str, Any]):
    """An activity whose references are instances; `missing` names the fields where none was found."""

    def __init__(
        self, activity: Mapping[str, Any], missing: Mapping[str, str] | None = None, *, hidden: bool = False
    ) -> None:
        super().__init__(activity)
        self.missing: dict[str, str] = dict(missing or {})
        self.hidden = hidden
        """Whether its viewer may not see it at all; no page has such a one."""

    @property
    def enriched(self) -> bool:
        return not (self.missing or self.hidden)

    @property
    def can_be_shown(self) -> bool:
        """Whether actor and object are there; an activity can do without its target."""
        return not (self.hidden or self.missing.keys() - _OPTIONAL)

    @property
    def not_enriched_data(self) -> dict[str, str]:
        """The name that stream-django gives to `missing`."""
        return self.missing

    @property
    def activity_data(self) -> dict[str, Any]:
        """The name that stream-django gives to the activity itself."""
        return self

    def track_not_enriched_field(self, field: str, value: str) -> None:
        """Note that no instance was found for a field."""
        self.missing[field] = value


class Enrich:
    """Replaces references in the given fields, in flat and in aggregated activities.

    Rows are those that `viewer` may see; None is a visitor who is not signed in. Values are read from the
    activities and never written into them: new objects come back. Subclasses may fetch rows their own way,
    by `fetch_model_instances` or `fetch_<model>_instances`, and `enrich_instance`.
    """

    def __init__(
        self,
        fields: Sequence[str] = DEFAULT_FIELDS,
        *,
        using: str | None = None,
        viewer: Any = None,
        with_muted: bool = False,
    ) -> None:
        if isinstance(fields, str):
            raise TypeError(f"fields must be a list of names: [{fields!r}]")
        self.fields = tuple(fields)
        self.using = using
        self.viewer = viewer_of(viewer)
        self.with_muted = with_muted
        self._restricted: dict[type[models.Model], bool] = {}

    def enrich_activities(self, activities: Iterable[Mapping[str, Any]]) -> list[EnrichedActivity]:
        """All activities in order, each with its `missing` fields noted."""
        activities = list(activities)
        references = [self._references(activity) for activity in activities]
        rows = self._fetch(references)
        return [self._enrich(*one, rows) for one in zip(activities, references, strict=True)]

    def enrich_aggregated_activities(self, groups: Iterable[Mapping[str, Any]]) -> list[EnrichedActivity]:
        """Groups with their inner activities enriched: still one query for each model of the page."""
        groups = list(groups)
        inner = iter(self.enrich_activities(one for group in groups for one in group["activities"]))
        return [
            EnrichedActivity({**group, "activities": list(islice(inner, len(group["activities"])))})
            for group in groups
        ]

    def _references(self, activity: Mapping[str, Any]) -> list[tuple[str, Reference]]:
        found = []
        for name in self.fields:
            reference = parse_reference(activity.get(name))
            if reference is None:
                continue
            if is_shown(reference.model) or self._fetches(reference.model):
                found.append((name, reference))
            else:
                _tell_of_text(reference.model)
        return found

    def _fetch(self, activities: Iterable[Iterable[tuple[str, Reference]]]) -> _Rows:
        wanted: dict[type[models.Model], set[Reference]] = defaultdict(set)
        for references in activities:
            for _, reference in references:
                wanted[reference.model].add(reference)
        names = {
            model: {pk: one for one in references if (pk := clean_pk(*one)) is not None}
            for model, references in wanted.items()
        }
        restricted = {model for model in wanted if self._is_restricted(model)}
        found = {
            model: (self._candidates if model in restricted else self.fetch_model_instances)(model, list(pks))
            for model, pks in names.items()
        }
        hidden = self._by_hidden_authors(row for model in restricted for row in found[model].values())
        rows = _Rows()
        for model, candidates in found.items():
            if model in restricted:
                self._add_visible(rows, model, names[model], candidates, hidden)
            else:
                self._add(rows, names[model], candidates)
        return rows

    def _is_restricted(self, model: type[models.Model]) -> bool:
        if model not in self._restricted:
            self._restricted[model] = is_restricted(model, self.viewer, with_muted=self.with_muted)
        return self._restricted[model]

    def _candidates(self, model: type[models.Model], pks: Collection[Any]) -> Mapping[Any, Any]:
        """The rows with these keys, without those that `visible_to` hides."""
        rows = self._all(model)
        if visibility_of(model) is None:
            return _by_key(rows, pks, with_authors, _with_what_is_read)
        rows = with_authors(narrowed(self.viewer, rows.filter(pk__in=pks)))
        return {row.pk: row for row in _with_what_is_read(rows)}

    def _by_hidden_authors(self, rows: Iterable[models.Model]) -> set[models.Model]:
        """Those that mutes and blocks hide: a query for each kind of these, however many there are."""
        return by_hidden_authors(self.viewer, list(rows), with_muted=self.with_muted)

    def _add_visible(
        self,
        rows: _Rows,
        model: type[models.Model],
        names: Mapping[Any, Reference],
        candidates: Mapping[Any, Any],
        hidden: set[models.Model],
    ) -> None:
        """Add what the viewer may see, and note what is there and hidden from them."""
        seen = {pk: row for pk, row in candidates.items() if row not in hidden} if hidden else candidates
        if self._fetches(model):
            fetched = self.fetch_model_instances(model, list(seen))
            seen = {pk: fetched[pk] for pk in seen if pk in fetched}
        self._add(rows, names, seen)
        rows.hidden.update(names[pk] for pk in self._there(model, names.keys() - seen.keys()))

    def _add(self, rows: _Rows, names: Mapping[Any, Reference], seen: Mapping[Any, Any]) -> None:
        shown = _published(seen)
        if type(self).enrich_instance is not Enrich.enrich_instance:
            shown = {pk: self._shown(row, pk) for pk, row in shown.items()}
        rows.found |= {names[pk]: row for pk, row in shown.items() if pk in names}

    def _shown(self, row: Any, pk: Any) -> Any:
        """None where code of the project fails for this row: it counts as missing."""
        return or_else(None, lambda: self.enrich_instance(row), logger, "row %s cannot be shown", pk)

    def _all(self, model: type[models.Model]) -> models.QuerySet[Any]:
        manager = model._default_manager
        return manager.all() if self.using is None else manager.using(self.using)

    def fetch_model_instances(self, model: type[models.Model], pks: Collection[Any]) -> Mapping[Any, Any]:
        """Rows of a model by primary key; those that are not there are missing from the answer.

        A method `fetch_<model>_instances(pks)` of a subclass, with the name in lower case, does it for one.
        Of a model with `visible_to`, the keys are those of rows that the viewer may see.
        """
        if hook := self._hook(model):
            found: Mapping[Any, Any] = hook(pks)
            return found
        return _by_key(self._all(model), pks, _with_what_is_read)

    def enrich_instance(self, instance: models.Model) -> Any:
        """What stands in the activity in place of the reference to a row."""
        return instance

    def _fetches(self, model: type[models.Model]) -> bool:
        """Whether code of the project fetches rows of a model, and so decides what may be shown."""
        own = type(self).fetch_model_instances is not Enrich.fetch_model_instances
        return own or self._hook(model) is not None

    def _hook(self, model: type[models.Model]) -> _Fetch | None:
        hook: _Fetch | None = getattr(self, f"fetch_{model._meta.model_name}_instances", None)
        return hook

    def _there(self, model: type[models.Model], absent: Collection[Any]) -> Collection[Any]:
        """Those of the absent keys whose rows are hidden: which are gone matters to placeholders only."""
        if not absent or stream_settings.MISSING_OBJECTS == "drop":
            return absent
        return set(self._all(model).filter(pk__in=absent).values_list("pk", flat=True))

    def _enrich(
        self, activity: Mapping[str, Any], references: Iterable[tuple[str, Reference]], rows: _Rows
    ) -> EnrichedActivity:
        enriched = EnrichedActivity(activity)
        for name, reference in references:
            row = rows.found.get(reference)
            if row is not None:
                enriched[name] = row
                continue
            if name in _OPTIONAL:
                enriched[name] = ""  # as in an activity that never had one
            if reference not in rows.hidden:
                enriched.missing[name] = activity[name]
            elif name not in _OPTIONAL:
                enriched.hidden = True
        return enriched


class _Rows:
    """The rows that a page refers to, and the references that its viewer may not see."""

    def __init__(self) -> None:
        self.found: dict[Reference, models.Model] = {}
        self.hidden: set[Reference] = set()


def _by_key(
    rows: models.QuerySet[Any], pks: Collection[Any], *ways: Callable[[models.QuerySet[Any]], Any]
) -> Mapping[Any, Any]:
    """Those of the rows that have these keys, with what each way adds to them."""
    wider = rows
    for way in ways:
        wider = way(wider)
    model: type[models.Model] = rows.model
    if wider is rows and len(pks) <= instances.MOST and instances.adds_nothing(model):
        return instances.by_key(model, rows.db, pks)
    return {row.pk: row for row in wider.filter(pk__in=pks)}


def _with_what_is_read(rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """The rows with what their model declares that pages read of them."""
    rows = with_condition(rows)
    related = getattr(rows.model, "activity_related_models", None)
    paths = related() if related else None
    prefetch = getattr(rows.model, "activity_prefetch_related", None)
    rows = rows.select_related(*paths) if paths else rows
    return rows.prefetch_related(*prefetch()) if prefetch else rows


@cache
def _tell_of_text(model: type[models.Model]) -> None:
    """Say once in each process what a page shows as text, and how to have instances in its place."""
    logger.warning(
        "references to %s are shown as text: for instances, call "
        'django_stream.tracking.show("%s") in the ready() of an app',
        model._meta.label,
        model._meta.label,
    )


def _published(rows: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """The rows without those that should not be published: anybody can write a reference to them."""
    one_of_each = {type(row): row for row in rows.values()}
    deciding = {kind for kind, row in one_of_each.items() if isinstance(row, models.Model) and decides(row)}
    if not deciding:
        return rows
    return {pk: row for pk, row in rows.items() if type(row) not in deciding or is_published(row)}


def shown_entry(entry: EnrichedActivity, policy: str | None = None) -> EnrichedActivity | None:
    """An entry of a page as it may be shown, None where nothing is left of it: see STREAM_MISSING_OBJECTS."""
    policy = policy or stream_settings.MISSING_OBJECTS
    if is_group(entry):
        members = [shown for one in entry["activities"] if (shown := shown_entry(one, policy)) is not None]
        return EnrichedActivity({**entry, "activities": members}) if members else None
    if entry.hidden:
        return None
    if policy == "raise" and not entry.can_be_shown:
        raise MissingObject(f"activity {entry.get('id')} refers to rows that are gone: {entry.missing}")
    return entry if policy == "placeholder" or entry.can_be_shown else None


def apply_missing_policy(
    activities: Iterable[EnrichedActivity], policy: str | None = None
) -> Iterator[EnrichedActivity]:
    """Drop, keep as placeholders, or refuse activities whose rows are gone; groups lose such members."""
    for activity in activities:
        shown = shown_entry(activity, policy)
        if shown is not None:
            yield shown
