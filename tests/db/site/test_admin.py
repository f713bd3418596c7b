"""Admin: rows are published again by an action; the outbox is looked at, and never edited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from django_stream.models import OutboxEntry
from django_stream.publishing.models import never
from django_stream.tracking import activities_paused, drain
from tests.testapp.models import Article, Plain

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


def test_publications_are_only_looked_at(admin_client: Client) -> None:
    assert admin_client.get("/admin/django_stream/publication/").status_code == 200
    assert admin_client.get("/admin/django_stream/publication/add/").status_code == 403
