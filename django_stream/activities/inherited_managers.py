"""What other bases of a tracked model give it: managers stay what they are, and are tracked; options stay.

The manager of our mixins would hide those of a library whose base stands behind them, and those of a base
that stands before them would hide ours. So the model gets a tracked form of each.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

from django.db import models

from django_stream.activities.managers import TrackedQuerySet

_Manager = models.Manager[Any]
Model = TypeVar("Model", bound=models.Model)


class _TrackedForm:
    """Stands before the class of a manager, and has its querysets tracked."""

    def get_queryset(self) -> Any:
        rows: Any = super().get_queryset()  # type: ignore[misc]
        rows.__class__ = _tracked_queryset(rows.__class__)
        return rows

    get_queryset.reads_as_before = True  # type: ignore[attr-defined]  # see database/instances.py

    # In migrations it is the manager of the library: nothing of ours may stand in them.
    def deconstruct(self) -> Any:
        return _untracked(self).deconstruct()

    def __eq__(self, other: object) -> bool:
        return bool(_untracked(self) == _untracked(other))

    def __hash__(self) -> int:
        return id(self)


class _OwnMeta:
    """The options of a mixin, which do not stand in place of those of another base."""

    def __init__(self, mixin: Any) -> None:
        self._mixin, self._meta = mixin, mixin.Meta

    def __get__(self, instance: object, owner: Any) -> Any:
        others: Any = super(self._mixin, owner)
        return self._meta if owner is self._mixin else others.Meta


def with_own_meta(mixin: type[Model]) -> type[Model]:
    """Let `class Post(mixin, Base)` inherit `Base.Meta`: Django takes only the first that it finds."""
    mixin.Meta = _OwnMeta(mixin)  # type: ignore[attr-defined]
    return mixin


def track_inherited_managers(model: type[models.Model], ours: type[models.Model]) -> None:
    """Give `model` tracked forms of the managers it inherits, as if it did not inherit those of `ours`.

    The managers of other bases come first, since the first one is the default. What the model declares
    itself is left alone: a system check tells when its bulk operations are not seen.
    """
    found = {manager.name: manager for manager in _inherited(model, ours)}
    if all(isinstance(manager, models.Manager) and _is_tracked(manager) for manager in found.values()):
        return
    found |= {one.name: one for one in ours._meta.local_managers if one.name not in found}
    own = {manager.name for manager in model._meta.local_managers}
    for name, manager in found.items():
        if name not in own:
            _tracked(manager).contribute_to_class(model, name)


def track_managers(model: type[models.Model]) -> None:
    """Have the bulk operations of all managers of a model seen; the managers stay what they are."""
    managers = list(model._meta.managers)
    if all(map(_is_tracked, managers)):
        return
    model._meta.local_managers.clear()
    for manager in managers:  # in their order, since the first is the default
        _tracked(manager).contribute_to_class(model, manager.name)


def _inherited(model: type[models.Model], ours: type[models.Model]) -> Iterator[_Manager]:
    """In the order in which Django inherits them: the first of a name hides the others."""
    seen: set[str] = set()
    for base in model.__mro__[1:]:
        if base is ours or not hasattr(base, "_meta"):
            continue
        for manager in sorted(base._meta.local_managers, key=lambda one: one.creation_counter):
            if manager.name not in seen:
                seen.add(manager.name)
                yield manager


def _is_tracked(manager: _Manager) -> bool:
    if isinstance(manager, _TrackedForm):
        return True
    queryset = getattr(manager, "_queryset_class", None)
    return isinstance(queryset, type) and issubclass(queryset, TrackedQuerySet)


def _tracked(manager: _Manager) -> Any:
    tracked: Any = copy.copy(manager)
    if not _is_tracked(manager):
        tracked.__class__ = _tracked_manager(tracked.__class__)
    tracked.creation_counter = models.Manager[Any]().creation_counter  # the next one
    return tracked


def _untracked(manager: Any) -> Any:
    if not isinstance(manager, _TrackedForm):
        return manager
    plain = copy.copy(manager)
    plain.__class__ = type(manager).__bases__[1]
    return plain


@cache
def _tracked_manager(manager: Any) -> Any:
    return type(manager.__name__, (_TrackedForm, manager), {"__module__": manager.__module__})


@cache
def _tracked_queryset(queryset: Any) -> Any:
    if issubclass(queryset, TrackedQuerySet):
        return queryset

    def reduce(self: Any) -> Any:
        return _empty_queryset, (queryset,), self.__getstate__()

    members = {"__module__": queryset.__module__, "__reduce__": reduce}
    return type(queryset.__name__, (TrackedQuerySet, queryset), members)


def _empty_queryset(queryset: Any) -> Any:
    """What pickled querysets are restored from: their class has no name that could be imported."""
    return _tracked_queryset(queryset)()
