"""The two ends of a follow: the columns that name an owner, and the owner that their values stand for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.db import models

from django_stream.activities.ids import pk_text
from django_stream.activities.model_references import clean_pk
from django_stream.activities.owners import OwnerID, names_itself, owner_id, owner_id_of, owner_model
from django_stream.activities.paths import is_generic, related_model
from django_stream.database.tables import is_elsewhere

Value = tuple[str, ...]
"""The columns of one end, as texts."""
_Owner = tuple[Any, str]
"""A model, the first of its tables, and the text of a primary key."""


class FollowEnd(ABC):
    """One end of the rows of a model."""

    is_path = False
    """Whether rows of other tables stand between, so that several values may stand for one owner."""

    def __init__(self, *fields: Any) -> None:
        self.fields = fields
        """The columns of the row's own table."""
        self.last: FollowEnd = self
        """The end to which a path leads, and `way` to it, as in a filter: `list__`."""
        self.way = ""
        self.columns: tuple[str, ...] = tuple(field.attname for field in fields)
        """Those that name the owner, as a query of the rows asks for them: `product_id`, `list__owner_id`."""

    @property
    @abstractmethod
    def may_name_themselves(self) -> bool:
        """Whether owners here may have names that do not tell which row it is."""

    @abstractmethod
    def takes(self, model: type[models.Model]) -> bool:
        """Whether a row of this model can be the owner."""

    @abstractmethod
    def lookup(self, owner: models.Model, using: str) -> dict[str, Any] | None:
        """What a filter asks for rows with this owner; None when it cannot be one of theirs."""

    @abstractmethod
    def owner_ids(self, values: Iterable[Value], using: str) -> dict[Value, OwnerID | Exception]:
        """The owners that values stand for, or what the code of one raised by which it names itself.

        Those whose rows are known to be gone are left out.
        """

    @abstractmethod
    def rows_meant(self, values: Iterable[Value], using: str) -> dict[Value, _Owner]:
        """The rows that values stand for, or stood for once: what was sent for them may have to be ended."""

    def read(
        self, values: Collection[Value], using: str
    ) -> tuple[dict[Value, OwnerID | Exception], dict[Value, _Owner]]:
        """`owner_ids` and `rows_meant` of one moment."""
        return self.owner_ids(values, using), self.rows_meant(values, using)

    @abstractmethod
    def values_meaning(self, rows: Iterable[_Owner], using: str) -> dict[_Owner, list[Value]]:
        """What `columns` may hold for these owners, in every spelling; rows that cannot stand at this end are
        left out."""


def end_of(model: type[models.Model], path: str) -> FollowEnd:
    """The end that a foreign key, a generic one, or a path of foreign keys makes; TypeError for all else."""
    if not isinstance(path, str):
        raise TypeError(f"{model._meta.label}: {path!r} is no path of foreign keys")
    name, _, rest = path.partition(".")
    field: Any = model._meta.get_field(name)
    if rest:
        between = related_model(model, name)
        if between is None:
            raise TypeError(f"{model._meta.label}.{name} is no foreign key, and leads nowhere")
        return _Path(field, end_of(between, rest))
    if is_generic(field):
        return _Generic(model._meta.get_field(field.ct_field), model._meta.get_field(field.fk_field))
    if not (field.concrete and field.remote_field):
        raise TypeError(f"{model._meta.label}.{name} is no foreign key of the model's own")
    return _Foreign(field)


class _Foreign(FollowEnd):
    """Rows are read only where the key does not tell: `to_field` names another column, or rows name
    themselves."""

    @property
    def may_name_themselves(self) -> bool:
        return names_itself(self.fields[0].related_model)

    def takes(self, model: type[models.Model]) -> bool:
        return owner_model(self.fields[0].related_model) is owner_model(model)

    def lookup(self, owner: models.Model, using: str) -> dict[str, Any] | None:
        (field,) = self.fields
        return {f"{field.name}__pk": owner.pk} if self.takes(owner.__class__) else None

    def owner_ids(self, values: Iterable[Value], using: str) -> dict[Value, OwnerID | Exception]:
        (field,) = self.fields
        model = field.related_model
        if field.target_field.primary_key and not names_itself(model):
            return {value: owner_id_of(model, value[0]) for value in values}
        name = field.target_field.attname
        rows = _rows(model, using).filter(**{f"{name}__in": {value[0] for value in values}})
        return {(str(getattr(row, name)),): _named_by(row) for row in rows}

    def rows_meant(self, values: Iterable[Value], using: str) -> dict[Value, _Owner]:
        (field,) = self.fields
        model, target = owner_model(field.related_model), field.target_field
        if target.primary_key:
            return {value: (model, value[0]) for value in values}
        rows = _rows(model, using).filter(**{f"{target.attname}__in": {value[0] for value in values}})
        return {(str(getattr(row, target.attname)),): (model, pk_text(row.pk)) for row in rows}

    def values_meaning(self, rows: Iterable[_Owner], using: str) -> dict[_Owner, list[Value]]:
        (field,) = self.fields
        model, target = owner_model(field.related_model), field.target_field
        mine = {row[1]: row for row in rows if row[0] is model}
        if target.primary_key:
            return {row: [(pk,)] for pk, row in mine.items()}
        there = _rows(model, using).filter(pk__in=list(mine))
        return {mine[pk_text(row.pk)]: [(str(getattr(row, target.attname)),)] for row in there}


class _Path(FollowEnd):
    """Rows of other tables stand between: `list.owner`. The row's own key to the first is what it is known
    by, which stays the same when the list gets another owner."""

    is_path = True

    def __init__(self, field: Any, following: FollowEnd) -> None:
        super().__init__(field)
        self.last = following.last
        self.way = f"{field.name}__{following.way}"
        self.columns = tuple(f"{self.way}{name}" for name in self.last.columns)

    @property
    def may_name_themselves(self) -> bool:
        return self.last.may_name_themselves

    def takes(self, model: type[models.Model]) -> bool:
        return self.last.takes(model)

    def lookup(self, owner: models.Model, using: str) -> dict[str, Any] | None:
        found = self.last.lookup(owner, using)
        return found and {f"{self.way}{name}": value for name, value in found.items()}

    def owner_ids(self, values: Iterable[Value], using: str) -> dict[Value, OwnerID | Exception]:
        return self.read(list(values), using)[0]

    def rows_meant(self, values: Iterable[Value], using: str) -> dict[Value, _Owner]:
        return self.read(list(values), using)[1]

    def read(
        self, values: Collection[Value], using: str
    ) -> tuple[dict[Value, OwnerID | Exception], dict[Value, _Owner]]:
        ends = self._ends(values, using)
        names, rows = self.last.read(set(ends.values()), using)
        return (
            {value: names[end] for value, end in ends.items() if end in names},
            {value: rows[end] for value, end in ends.items() if end in rows},
        )

    def values_meaning(self, rows: Iterable[_Owner], using: str) -> dict[_Owner, list[Value]]:
        return self.last.values_meaning(rows, using)

    def _ends(self, values: Iterable[Value], using: str) -> dict[Value, Value]:
        """What the columns at the end of the path hold, for those where nothing is missing on the way."""
        (field,) = self.fields
        target = field.target_field.attname
        rows = _rows(field.related_model, using).filter(**{f"{target}__in": {value[0] for value in values}})
        columns = [name.removeprefix(f"{field.name}__") for name in self.columns]
        return {
            (pk_text(own),): tuple(map(pk_text, end))
            for own, *end in rows.values_list(target, *columns)
            if None not in end
        }


class _Generic(FollowEnd):
    """A content type, and the text of a primary key."""

    @property
    def may_name_themselves(self) -> bool:
        return any(map(names_itself, apps.get_models()))

    def takes(self, model: type[models.Model]) -> bool:
        return True

    def lookup(self, owner: models.Model, using: str) -> dict[str, Any] | None:
        kind, key = self.fields
        found = kind.related_model.objects.db_manager(using).get_for_model(owner)
        return {kind.name: found, key.name: pk_text(owner.pk)}

    def owner_ids(self, values: Iterable[Value], using: str) -> dict[Value, OwnerID | Exception]:
        keys = {
            value: (model, pk)
            for value, (model, pk) in self._keys(values, using).items()
            if value[1] in _spellings(pk)
        }
        by_model: dict[Any, set[Any]] = defaultdict(set)
        for model, pk in keys.values():
            by_model[model].add(pk)
        names = {model: _named(model, pks, using) for model, pks in by_model.items()}
        return {value: names[model][pk] for value, (model, pk) in keys.items() if pk in names[model]}

    def rows_meant(self, values: Iterable[Value], using: str) -> dict[Value, _Owner]:
        return {
            value: (owner_model(model), pk_text(pk))
            for value, (model, pk) in self._keys(values, using).items()
        }

    def values_meaning(self, rows: Iterable[_Owner], using: str) -> dict[_Owner, list[Value]]:
        types = self._types(using)
        return {
            (model, pk): [
                (str(types.get_for_model(model).pk), text) for text in _spellings(clean_pk(model, pk))
            ]
            for model, pk in rows
        }

    def _types(self, using: str) -> Any:
        return self.fields[0].related_model.objects.db_manager(using)

    def _keys(self, values: Iterable[Value], using: str) -> dict[Value, tuple[Any, Any]]:
        """Model and primary key, where there are such."""
        types, models_, found = self._types(using), {}, {}
        for value in values:
            if value[0] not in models_:
                models_[value[0]] = _model_of(types, value[0])
            model = models_[value[0]]
            pk = clean_pk(model, value[1]) if model else None
            if pk is not None:
                found[value] = (model, pk)
        return found


def _spellings(key: Any) -> list[str]:
    """The texts that name a key, and the only ones that do: from the key all rows that mean it are found.

    Sites store UUIDs with and without dashes, and in capitals. Anything else is named by the text that Django
    stores: a number has others without end, such as 007, which its GenericRelation does not find either.
    """
    if not isinstance(key, UUID):
        return [pk_text(key)]
    return sorted({str(key), key.hex, str(key).upper(), key.hex.upper()})


def _model_of(types: Any, type_id: str) -> type[models.Model] | None:
    """None for a model that is gone from the project, while its rows are still referred to."""
    try:
        found: type[models.Model] | None = types.get_for_id(int(type_id)).model_class()
    except ObjectDoesNotExist:
        return None
    return found


def _named(model: Any, pks: Collection[Any], using: str) -> dict[Any, OwnerID | Exception]:
    if not names_itself(model):
        return {pk: owner_id_of(model, pk) for pk in pks}
    return {row.pk: _named_by(row) for row in _rows(model, using).filter(pk__in=list(pks))}


def _named_by(row: models.Model) -> OwnerID | Exception:
    try:
        return owner_id(row)
    except Exception as error:  # the model's own code: whatever it raises concerns this owner only
        return error


def _rows(model: Any, using: str) -> models.QuerySet[Any]:
    """The owners beside the rows that name them, or wherever a router keeps them."""
    found: models.QuerySet[Any] = model._base_manager.all()
    return found if is_elsewhere(model, using) else found.using(using)
