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

from django_stream.models import OutboxEntry
from django_stream.publishing.models import never
from django_stream.tracking import activities_paused, drain, record
from tests.db.feeds.conftest import people
from tests.testapp.models import Article, Mute, Plain, Subscription

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
