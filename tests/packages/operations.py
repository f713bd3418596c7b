"""What each package lets one do with rows: each operation takes a model, a number of a row, and a text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reversion
from django.contrib.auth.models import User
from django.utils import translation
from polymorphic.models import PolymorphicModel
from reversion.models import Version
from safedelete.config import HARD_DELETE
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from django_stream.database.querysets import all_rows

Operation = Callable[[Any, int, str], Any]


def new(model: Any, number: int, text: str, **values: Any) -> Any:
    return model(pk=number, user=User.objects.get(username="ada"), title=text, **values)


def changed(model: Any, number: int, text: str, **values: Any) -> Any:
    row = model.objects.get(pk=number)
    row.title = text
    for name, value in values.items():
        setattr(row, name, value)
    return row


def every(model: Any, text: str) -> list[Any]:
    rows = list(model.objects.order_by("pk"))
    for row in rows:
        row.title = text
    return rows


# With any model.


def create(model: Any, number: int, text: str) -> Any:
    return model.objects.create(pk=number, user=User.objects.get(username="ada"), title=text)


def save(model: Any, number: int, text: str) -> Any:
    return changed(model, number, text).save()


def save_some(model: Any, number: int, text: str) -> Any:
    return changed(model, number, text).save(update_fields=["title"])


def delete(model: Any, number: int, text: str) -> Any:
    return model.objects.get(pk=number).delete()


def update(model: Any, number: int, text: str) -> Any:
    return model.objects.filter(pk__lte=number).update(title=text)


def delete_many(model: Any, number: int, text: str) -> Any:
    return model.objects.filter(pk__lte=number).delete()


def bulk_create(model: Any, number: int, text: str) -> Any:
    return model.objects.bulk_create([new(model, number, text), new(model, number + 1, text)])


def bulk_update(model: Any, number: int, text: str) -> Any:
    return model.objects.bulk_update(every(model, text), ["title"])


def update_or_create(model: Any, number: int, text: str) -> Any:
    user = User.objects.get(username="ada")
    return model.objects.update_or_create(pk=number, defaults={"title": text, "user": user})


def of_the_user(model: Any, number: int, text: str) -> Any:
    return list(model.objects.filter(user__username="ada", title=text).order_by("-pk"))


ANY: list[Operation] = [
    create,
    save,
    save_some,
    delete,
    update,
    delete_many,
    bulk_create,
    bulk_update,
    update_or_create,
    of_the_user,
]


# django-safedelete


def save_deleted(model: Any, number: int, text: str) -> Any:
    row = model.all_objects.get(pk=number)
    row.title = text
    return row.save(keep_deleted=True)


def save_and_undelete(model: Any, number: int, text: str) -> Any:
    row = model.all_objects.get(pk=number)
    row.title = text
    return row.save()


def delete_hard(model: Any, number: int, text: str) -> Any:
    return model.all_objects.get(pk=number).delete(force_policy=HARD_DELETE)


def delete_many_hard(model: Any, number: int, text: str) -> Any:
    return model.all_objects.filter(pk__lte=number).delete(force_policy=HARD_DELETE)


def undelete(model: Any, number: int, text: str) -> Any:
    return model.all_objects.get(pk=number).undelete()


def undelete_many(model: Any, number: int, text: str) -> Any:
    return model.deleted_objects.filter(pk__gte=number).undelete()


def update_deleted(model: Any, number: int, text: str) -> Any:
    return model.all_objects.filter(pk=number).update(title=text, deleted=None)


def shown_and_hidden(model: Any, number: int, text: str) -> Any:
    return [list(rows.order_by("pk")) for rows in (model.objects, model.all_objects, model.deleted_objects)]


SAFEDELETE = [
    *ANY,
    save_deleted,
    save_and_undelete,
    delete_hard,
    delete_many_hard,
    undelete,
    undelete_many,
    update_deleted,
    shown_and_hidden,
]


# django-polymorphic: the model of a child is the one subclass, and its rows have keys of their own.


def child_of(model: Any) -> Any:
    return next(iter(model.__subclasses__()))


def create_child(model: Any, number: int, text: str) -> Any:
    return create(child_of(model), number + 10, text)


def save_child(model: Any, number: int, text: str) -> Any:
    return changed(child_of(model), number + 10, text, pages=number).save()


def update_children(model: Any, number: int, text: str) -> Any:
    return child_of(model).objects.filter(pages__gte=0).update(title=text, pages=number)


def delete_children(model: Any, number: int, text: str) -> Any:
    return model.objects.instance_of(child_of(model)).delete()


def read_children(model: Any, number: int, text: str) -> Any:
    name = child_of(model).__name__
    rows = model.objects.filter(**{f"{name}___pages__gte": 0}).order_by("pk")
    return list(rows), [isinstance(row, PolymorphicModel) for row in model.objects.all()]


def update_without_types(model: Any, number: int, text: str) -> Any:
    return model.objects.non_polymorphic().filter(pk__gte=number).update(title=text)


POLYMORPHIC = [
    *ANY,
    create_child,
    save_child,
    update_children,
    delete_children,
    read_children,
    update_without_types,
]


# django-simple-history


def create_with_history(model: Any, number: int, text: str) -> Any:
    return bulk_create_with_history([new(model, number, text), new(model, number + 1, text)], model)


def update_with_history(model: Any, number: int, text: str) -> Any:
    return bulk_update_with_history(every(model, text), model, ["title"])


def save_without_history(model: Any, number: int, text: str) -> Any:
    return changed(model, number, text).save_without_historical_record()


def save_with_a_reason(model: Any, number: int, text: str) -> Any:
    return changed(model, number, text, _change_reason="because").save()


def go_back(model: Any, number: int, text: str) -> Any:
    return model.history.filter(id=number).order_by("history_id")[0].instance.save()


def as_it_was(model: Any, number: int, text: str) -> Any:
    row = model.objects.get(pk=number)
    return row.history.count(), row.history.most_recent()


HISTORY = [
    *ANY,
    create_with_history,
    update_with_history,
    save_without_history,
    save_with_a_reason,
    go_back,
    as_it_was,
]


# django-reversion


def in_a_revision(model: Any, number: int, text: str) -> Any:
    with reversion.create_revision():
        reversion.set_comment(text)
        return (save if model.objects.filter(pk=number).exists() else create)(model, number, text)


def many_in_a_revision(model: Any, number: int, text: str) -> Any:
    with reversion.create_revision():
        return [row.save() for row in every(model, text)]


def revert(model: Any, number: int, text: str) -> Any:
    version = Version.objects.get_for_model(model).filter(object_id=str(number)).order_by("pk").first()
    version.revision.revert(delete=False)


def recover(model: Any, number: int, text: str) -> Any:
    for version in Version.objects.get_deleted(model).order_by("pk"):
        version.revert()


REVERSION = [*ANY, in_a_revision, in_a_revision, many_in_a_revision, revert, recover]


# django-parler


def save_translation(model: Any, number: int, text: str) -> Any:
    row = model.objects.get(pk=number)
    row.set_current_language("de")
    row.title = text
    return row.save()


def create_in_german(model: Any, number: int, text: str) -> Any:
    user = User.objects.get(username="ada")
    row = model.objects.language("de").create(pk=number, user=user, title=text)
    # Else it has no title in the language of the feeds.
    row.set_current_language("en")
    row.title = text
    return row.save()


def delete_translation(model: Any, number: int, text: str) -> Any:
    row = model.objects.get(pk=number)
    return row.has_translation("de") and row.delete_translation("de")


def update_translated(model: Any, number: int, text: str) -> Any:
    return model.objects.translated("de").update(shelf=number)


def read_german(model: Any, number: int, text: str) -> Any:
    rows = model.objects.language("de").order_by("pk")
    return [(row.pk, row.safe_translation_getter("title", any_language=True)) for row in rows]


def move(model: Any, number: int, text: str) -> Any:
    return model.objects.filter(pk__lte=number).update(shelf=number)


PARLER = [
    create,
    save,
    delete,
    delete_many,
    update_or_create,
    save_translation,
    create_in_german,
    delete_translation,
    update_translated,
    read_german,
    move,
]


# django-modeltranslation


def in_german(operation: Operation) -> Operation:
    def run(model: Any, number: int, text: str) -> Any:
        with translation.override("de"):
            return operation(model, number, text)

    run.__name__ = f"{operation.__name__}_in_german"
    return run


def create_both(model: Any, number: int, text: str) -> Any:
    user = User.objects.get(username="ada")
    return model.objects.create(pk=number, user=user, title_en=text, title_de=f"{text} (de)")


def populate(model: Any, number: int, text: str) -> Any:
    user = User.objects.get(username="ada")
    return model.objects.populate("all").create(pk=number, user=user, title=text)


def columns(model: Any, number: int, text: str) -> Any:
    return list(model.objects.order_by("title", "pk").values("pk", "title", "title_en", "title_de"))


_GERMAN = [in_german(one) for one in (save, update, bulk_update, update_or_create, of_the_user, columns)]
MODELTRANSLATION = [*ANY, *_GERMAN, create_both, populate, columns]


# django-taggit


def tag(model: Any, number: int, text: str) -> Any:
    return model.objects.get(pk=number).tags.add(text, "new")


def untag(model: Any, number: int, text: str) -> Any:
    return model.objects.get(pk=number).tags.remove(text)


def retag(model: Any, number: int, text: str) -> Any:
    return model.objects.get(pk=number).tags.set([text, "set"])


def clear_tags(model: Any, number: int, text: str) -> Any:
    return model.objects.get(pk=number).tags.clear()


def update_tagged(model: Any, number: int, text: str) -> Any:
    return model.objects.filter(tags__name__in=["new", text]).update(title=text)


def delete_tagged(model: Any, number: int, text: str) -> Any:
    return model.objects.filter(tags__name=text).delete()


def similar(model: Any, number: int, text: str) -> Any:
    tags = [(one.name, one.num_times) for one in model.tags.most_common().order_by("name")]
    return model.objects.get(pk=number).tags.similar_objects(), tags


TAGGIT = [*ANY, tag, untag, retag, clear_tags, update_tagged, delete_tagged, similar]


def feed_texts(model: Any) -> dict[tuple[str, int], str]:
    """Titles by (name of the model, key) of the rows that the feeds should hold, read from the tables."""
    rows: dict[tuple[str, int], str] = {}
    for one in (model, *model.__subclasses__()):
        for row in all_rows(one, "default"):
            # A child stands for its parent.
            if getattr(row, "deleted", None) is None:
                rows.pop((model.__name__, row.pk), None)
                rows[one.__name__, row.pk] = row.title
    return rows
