"""Admin: rows are published again by an action; the outbox is looked at, and never edited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client, RequestFactory
from django.utils import timezone

from django_stream.client.exceptions import ConnectionFailed
from django_stream.feeds import feed_manager
from django_stream.models import OutboxEntry, Publication
from django_stream.publishing.models import never
from django_stream.tracking import activities_paused, drain, record
from tests.db.feeds.conftest import people
from tests.testapp.models import Article, Moment, Mute, Plain, Subscription

__all__ = ["people"]

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.db.site.urls")]


def press(client: Client, url: str, action: str, *pks: Any) -> str:
    data = {"action": action, "_selected_action": [str(pk) for pk in pks]}
    return client.post(url, data, follow=True).content.decode()


def test_selected_rows_are_published(
    admin_client: Client, ada: User, feed_of: Callable[..., list[dict[str, Any]]]
) -> None:
    with activities_paused():
        first, second, _ = (Article.objects.create(author=ada, title=str(n)) for n in range(3))

    page = press(admin_client, "/admin/testapp/article/", "publish_to_feeds", first.pk, second.pk)
    drain()

    assert "2 rows are on their way to the feeds." in page
    assert {entry["title"] for entry in feed_of("user", ada)} == {"0", "1"}


def test_a_model_that_is_not_tracked_is_refused(admin_client: Client) -> None:
    plain = Plain.objects.create(title="x")

    assert "is not tracked" in press(admin_client, "/admin/testapp/plain/", "publish_to_feeds", plain.pk)


def test_parked_entries_are_shown_with_their_reason_and_retried(admin_client: Client) -> None:
    entry = OutboxEntry.objects.create(
        model_label="testapp.Article",
        object_key="1",
        parked_at=timezone.now(),
        due_at=never(),
        reason="no such feed group",
    )
    url = "/admin/django_stream/outboxentry/"
    assert "no such feed group" in admin_client.get(url).content.decode()
    assert admin_client.get(f"{url}add/").status_code == 403

    assert "1 entry is due again." in press(admin_client, url, "retry", entry.pk)
    entry.refresh_from_db()
    assert entry.parked_at is None


def test_entries_are_found_by_their_state_and_show_the_beginning_of_their_reason(
    admin_client: Client,
) -> None:
    reasons = {"waiting": "the line is dead", "parked": "no such field " * 20}
    for state, reason in reasons.items():
        OutboxEntry.objects.create(
            model_label="testapp.Article",
            object_key=state,
            parked_at=timezone.now() if state == "parked" else None,
            due_at=never() if state == "parked" else timezone.now(),
            reason=reason,
        )

    for state, reason in reasons.items():
        page = admin_client.get("/admin/django_stream/outboxentry/", {"state": state})
        assert [entry.object_key for entry in page.context["cl"].result_list] == [state]
        assert reason[:100] in page.content.decode()
        assert reasons["parked"] not in page.content.decode()
    everything = admin_client.get("/admin/django_stream/outboxentry/", {"state": "other"})
    assert everything.context["cl"].result_count == 2


def test_retrying_needs_more_than_the_right_to_look(client: Client, ada: User) -> None:
    ada.is_staff = True
    ada.save()
    ada.user_permissions.add(Permission.objects.get(codename="view_outboxentry"))
    client.force_login(ada)

    page = client.get("/admin/django_stream/outboxentry/")

    assert page.status_code == 200
    assert "Retry parked" not in page.content.decode()


def _admins_with_actions() -> list[Any]:
    """Every page of the admin that can do something with rows that are chosen."""
    models = (model for model in apps.get_models() if admin.site.is_registered(model))
    return [page for page in map(admin.site.get_model_admin, models) if page.actions]


@pytest.mark.parametrize("page", _admins_with_actions(), ids=lambda page: page.opts.label)
def test_who_may_only_look_is_offered_no_action_that_changes_something(page: Any, rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = User.objects.create_user("viewer", is_staff=True)
    request.user.user_permissions.set(Permission.objects.filter(codename=f"view_{page.opts.model_name}"))
    assert page.has_view_permission(request)
    assert page.get_actions(request).keys() <= {"explain_in_feed"}


def test_publications_are_only_looked_at(admin_client: Client) -> None:
    assert admin_client.get("/admin/django_stream/publication/").status_code == 200
    assert admin_client.get("/admin/django_stream/publication/add/").status_code == 403


RECORDED = "/admin/django_stream/recordedactivity/"


def test_recorded_activities_are_found_and_retracted(
    admin_client: Client, ada: User, grace: User, feed_of: Callable[..., list[dict[str, Any]]]
) -> None:
    rows = [record(actor=who, verb="visit", key=f"visit-{who.pk}") for who in (ada, grace)]
    drain()
    for query in (f"auth.User:{ada.pk}", f"visit-{ada.pk}"):
        page = admin_client.get(RECORDED, {"q": query}).content.decode()
        assert f"visit-{ada.pk}" in page
        assert f"visit-{grace.pk}" not in page
    assert admin_client.get(f"{RECORDED}add/").status_code == 403

    assert "Are you sure" in press(admin_client, RECORDED, "delete_selected", rows[0].pk)
    assert len(feed_of("user", ada)) == 1
    chosen = {"action": "delete_selected", "_selected_action": [rows[0].pk], "post": "yes"}
    admin_client.post(RECORDED, chosen)
    drain()

    assert feed_of("user", ada) == []
    assert len(feed_of("user", grace)) == 1


@pytest.mark.parametrize("may", [True, False])
def test_who_may_delete_may_retract(may: bool, client: Client, ada: User, grace: User) -> None:
    row = record(actor=grace, verb="visit")
    ada.is_staff = True
    ada.save()
    names = ["view_recordedactivity", *["delete_recordedactivity"] * may]
    ada.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(ada)

    assert ("Retract selected activities" in client.get(RECORDED).content.decode()) is may
    client.post(RECORDED, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})

    assert type(row).objects.filter(pk=row.pk).exists() is not may


@pytest.mark.usefixtures("people")
def test_an_action_says_why_a_row_is_in_a_feed_or_is_not(
    admin_client: Client, ada: User, grace: User
) -> None:
    Subscription.objects.create(reader=grace, writer=ada)
    article = Article.objects.create(author=ada, title="<b>x</b>")
    drain()
    url, feed = "/admin/testapp/article/", f"timeline:{grace.pk}"

    def explained(feed_id: str) -> str:
        data = {"action": "explain_in_feed", "_selected_action": [article.pk], "feed": feed_id}
        return admin_client.post(url, data).content.decode()

    assert "Feed, such as timeline:1" in press(admin_client, url, "explain_in_feed", article.pk)
    assert "&lt;b&gt;x&lt;/b&gt;: in the feed" in explained(feed)
    assert "not in the feed" in explained(f"timeline:{ada.pk}")
    assert "That is not the id of a feed." in explained("nonsense")
    Mute.objects.create(by=grace, of=ada)
    assert "viewer: its owner may not see it" in explained(feed)


def test_who_may_not_look_at_rows_is_told_nothing_of_them(client: Client, ada: User) -> None:
    article = Article.objects.create(author=ada, title="x")
    staff = User.objects.create_user("staff", is_staff=True)
    client.force_login(staff)
    data = {"action": "explain_in_feed", "_selected_action": [article.pk], "feed": f"user:{ada.pk}"}
    assert client.post("/admin/testapp/article/", data).status_code == 403


def test_selected_rows_are_taken_out_until_they_are_saved(
    admin_client: Client, ada: User, feed_of: Callable[..., list[dict[str, Any]]]
) -> None:
    gone, stays = (Article.objects.create(author=ada, title=title) for title in ("gone", "stays"))
    drain()

    page = press(admin_client, "/admin/testapp/article/", "remove_from_feeds", gone.pk)

    assert "1 row was taken out of the feeds until it is saved again." in page
    assert [entry["title"] for entry in feed_of("user", ada)] == ["stays"]
    assert Article.objects.count() == 2
    assert list(Publication.objects.values_list("object_key", flat=True)) == [str(stays.pk)]
    drain()
    assert len(feed_of("user", ada)) == 1, "nothing brings it back by itself"
    gone.save()
    drain()
    assert {entry["title"] for entry in feed_of("user", ada)} == {"gone", "stays"}
    assert "is not tracked" in press(
        admin_client, "/admin/testapp/plain/", "remove_from_feeds", Plain.objects.create(title="x").pk
    )


def test_what_cannot_be_taken_out_is_told_and_tried_again(
    admin_client: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = Article.objects.create(author=ada, title="x")
    drain()

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise ConnectionFailed("down")

    monkeypatch.setattr(type(feed_manager.client.feed("user", "1")), "remove_activity", broken)
    monkeypatch.setattr(type(feed_manager.client.feed("user", "1")), "remove", broken, raising=False)
    page = press(admin_client, "/admin/testapp/article/", "remove_from_feeds", article.pk)
    assert "0 rows were taken out" in page
    assert "Not reached, and tried again or parked: 1." in page
    assert OutboxEntry.objects.get().object_key == str(article.pk)


def links_of(page: Any) -> dict[str, str]:
    return {link.text: link.url for link in page.context["feed_links"]}


def test_row_outbox_ledger_and_feed_lead_to_one_another(admin_client: Client, ada: User, grace: User) -> None:
    moment = Moment.objects.create(author=ada, text="x")
    moment.mentioned.add(grace)
    drain()
    OutboxEntry.objects.create(model_label="testapp.Moment", object_key=str(moment.pk), due_at=never())
    row = f"/admin/testapp/moment/{moment.pk}/change/"

    found = links_of(admin_client.get(row))
    feed_ids = {f"user:{ada.pk}", f"notification:{grace.pk}"}
    assert found.keys() == {"outbox entries: 1", "ledger", *feed_ids}
    for text in ("outbox entries: 1", "ledger"):
        page = admin_client.get(found[text])
        (entry,) = page.context["cl"].result_list
        assert f'href="{row}"' in page.content.decode()
        back = links_of(admin_client.get(f"{found[text].partition('?')[0]}{entry.pk}/change/"))
        assert back["Open the row"] == row
        assert {"outbox entries: 1", "ledger"} <= back.keys()
        assert (feed_ids <= back.keys()) is (text == "ledger")
    for feed_id in feed_ids:
        page = admin_client.get(found[feed_id])
        assert f'href="{row}"' in page.content.decode()
    assert (
        "Nothing is in this feed."
        in admin_client.get(found[f"user:{ada.pk}"].replace(f"user:{ada.pk}", "user:nobody")).content.decode()
    )


@pytest.mark.parametrize(
    ("may_view", "expected"),
    [
        (["moment"], set()),
        (["moment", "outboxentry"], {"outbox entries: 1"}),
        (["moment", "publication"], {"ledger", "user"}),
        (["outboxentry"], {"outbox entries: 1"}),
    ],
)
def test_links_lead_where_one_may_look(
    may_view: list[str], expected: set[str], client: Client, ada: User
) -> None:
    moment = Moment.objects.create(author=ada, text="x")
    drain()
    entry = OutboxEntry.objects.create(
        model_label="testapp.Moment", object_key=str(moment.pk), due_at=never()
    )
    staff = User.objects.create_user("staff", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=[f"view_{name}" for name in may_view]))
    client.force_login(staff)
    url = (
        f"/admin/testapp/moment/{moment.pk}/change/"
        if "moment" in may_view
        else f"/admin/django_stream/outboxentry/{entry.pk}/change/"
    )

    assert {
        text.partition(":")[0] if "user" in text else text for text in links_of(client.get(url))
    } == expected
    feed = f"/admin/django_stream/publication/feed/user:{ada.pk}/"
    assert client.get(feed).status_code == (200 if "publication" in may_view else 403)


def test_entries_of_what_is_not_there_any_more_are_shown(admin_client: Client) -> None:
    for label, key in (
        ("testapp.Gone", "1"),
        ("testapp.Moment", "x"),
        ("nonsense", "1"),
        ("testapp.Tag", "1"),
    ):
        entry = OutboxEntry.objects.create(model_label=label, object_key=key, due_at=never())
        page = admin_client.get(f"/admin/django_stream/outboxentry/{entry.pk}/change/")
        assert page.status_code == 200
        assert "Open the row" not in links_of(page)
    assert admin_client.get("/admin/django_stream/outboxentry/").status_code == 200
    assert admin_client.get("/admin/testapp/moment/0/change/", follow=True).status_code == 200


@pytest.mark.parametrize("page", _admins_with_actions(), ids=lambda page: page.opts.label)
def test_every_action_is_refused_to_those_who_may_not_do_it(page: Any, client: Client, ada: User) -> None:
    """An action that is not offered does nothing when it is posted all the same."""
    staff = User.objects.create_user("staff", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename=f"view_{page.opts.model_name}"))
    client.force_login(staff)
    article = Article.objects.create(author=ada, title="x")
    Moment.objects.create(author=ada)
    Plain.objects.create(title="x")
    record(actor=ada, verb="visit")
    drain()
    before = [*Publication.objects.values_list("pk", "digest", "records")]
    parked = OutboxEntry.objects.create(
        model_label="testapp.Article", object_key=str(article.pk), parked_at=timezone.now(), due_at=never()
    )
    rows = [row.pk for row in page.model._default_manager.all()]
    url = f"/admin/{page.opts.app_label}/{page.opts.model_name}/"
    if page.opts.app_label in ("testapp", "django_stream"):
        assert rows
    actions = [one if isinstance(one, str) else one.__name__ for one in page.actions]
    for action in {*actions, "delete_selected"} - {"explain_in_feed"}:
        data = {"action": action, "_selected_action": rows or [1], "post": "yes"}
        assert client.post(url, data, follow=True).status_code == 200
    drain()

    assert [*Publication.objects.values_list("pk", "digest", "records")] == before
    assert OutboxEntry.objects.get() == parked
    parked.refresh_from_db()
    assert parked.parked_at is not None
    assert page.model._default_manager.count() == len(rows)
