"""E-mails of what was not seen: once in a period, whatever happens, and never of what is hidden."""

from __future__ import annotations

import re
import smtplib
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.http import Http404
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.utils import timezone, translation

from django_stream import feeds
from django_stream.client.exceptions import ConnectionFailed
from django_stream.feeds import feed_manager
from django_stream.notifications import (
    Digest,
    DigestReport,
    dismiss_all,
    send_digests,
    sending,
    set_digest,
    set_preference,
    unsubscribe_url,
)
from django_stream.notifications.checks import check_digests
from django_stream.notifications.models import DigestSubscription, Told
from django_stream.notifications.tasks import send_due_digests
from django_stream.notifications.views import UnsubscribeView
from django_stream.tracking import drain
from tests.db.notifications.conftest import DAY, NOON, Tell
from tests.testapp.models import Article, Block, Mute, Praise

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.db.site.urls")]

SENT = DigestReport(sent=1)


@pytest.fixture(autouse=True)
def reader(grace: User) -> User:
    grace.email = "grace@example.com"
    grace.save()
    set_digest(grace, "daily")
    return grace


def text() -> str:
    (message,) = mail.outbox
    return str(message.body)


def html() -> str:
    (message,) = mail.outbox
    return str(message.alternatives[0][0])


def test_what_was_not_seen_is_mailed_once(tell: Tell, grace: User) -> None:
    moment = tell()

    assert send_digests() == SENT
    assert send_digests() == DigestReport()

    (message,) = mail.outbox
    assert (message.to, message.subject) == (["grace@example.com"], "1 new notification")
    assert f"- ada moment {moment}" in text()
    assert "<strong>ada</strong>" in html()
    assert "https://example.com/" in text()
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert feeds.unseen(grace) == 1, "an e-mail marks nothing as seen"


def test_the_html_reads_like_the_text_and_loads_nothing(tell: Tell, grace: User, settings: Any) -> None:
    settings.LANGUAGE_CODE = "de"
    tell()
    send_digests()

    (link,) = re.findall(r"https://example\.com/\S*unsubscribe\S*", text())
    assert f'href="{link}"' in html()
    assert '<html lang="de" dir="ltr">' in html()
    assert "prefers-color-scheme: dark" in html()
    assert "1 neue Benachrichtigung</h1>" in html()
    assert re.findall(r"\b(?:src|url|@import|<link|<script)\b", html()) == []
    assert set(re.findall(r'href="(https?://[^/"]+)', html())) == {"https://example.com"}


def test_a_site_fills_blocks_of_the_html(tell: Tell, grace: User, settings: Any, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    source = (
        '{% extends "django_stream/notifications/digest.html" %}{% block header %}<b>Ours</b>{% endblock %}'
    )
    (folder / "digest.html").write_text(source)
    engine: Any = {**settings.TEMPLATES[0], "DIRS": [folder]}
    settings.TEMPLATES = [engine]
    tell()
    digest = Digest(grace, NOON - 30 * DAY)

    page = render_to_string("digest.html", digest.context() | {"unsubscribe_url": "https://example.com/x"})

    assert "<b>Ours</b>" in page
    assert "<h1" not in page
    assert "<strong>ada</strong>" in page


def test_the_next_period_tells_of_what_has_come_since(tell: Tell, grace: User) -> None:
    with time_machine.travel(NOON, tick=False):
        tell("first")
        assert send_digests() == SENT
    with time_machine.travel(NOON + DAY, tick=False):
        assert send_digests() == DigestReport(empty=1)
        tell("second", created_at=NOON + DAY)
        assert send_digests() == DigestReport(), "at most one a day, even of nothing"
    with time_machine.travel(NOON + 2 * DAY, tick=False):
        assert send_digests() == SENT
    assert [message.subject for message in mail.outbox] == ["1 new notification"] * 2


def test_a_week_begins_on_monday(tell: Tell, grace: User) -> None:
    set_digest(grace, "weekly")
    sunday = NOON + 6 * DAY
    for moment, sent in ((NOON, 1), (NOON + DAY, 0), (sunday, 0), (sunday + DAY, 1)):
        with time_machine.travel(moment, tick=False):
            tell(created_at=moment)
            assert send_digests().sent == sent
    assert DigestSubscription.objects.get().period == date(2026, 1, 12)


def test_who_changes_from_daily_to_weekly_gets_no_second_one(tell: Tell, grace: User) -> None:
    with time_machine.travel(NOON + DAY, tick=False):
        tell()
        assert send_digests() == SENT
        set_digest(grace, "weekly")
        tell("more")
        assert send_digests() == DigestReport()


@pytest.mark.parametrize("default", ["off", "daily", "weekly"])
def test_who_chose_nothing_gets_what_the_settings_say(
    default: str, tell: Tell, grace: User, settings: Any
) -> None:
    DigestSubscription.objects.all().delete()
    settings.STREAM_NOTIFICATIONS_DIGEST = default
    tell()
    assert send_digests().sent == (default != "off")
    assert send_digests() == DigestReport()
    if default != "off":
        settings.STREAM_NOTIFICATIONS_DIGEST = "off"
        with time_machine.travel(timezone.now() + 8 * DAY, tick=False):
            assert send_digests() == DigestReport()


def test_who_is_gone_or_has_no_address_gets_nothing(tell: Tell, grace: User, make_user: Any) -> None:
    tell()
    for values in ({"is_active": False}, {"is_active": True, "email": ""}):
        User.objects.filter(pk=grace.pk).update(**values)
        assert send_digests() == DigestReport()
    assert mail.outbox == []


def test_they_tell_of_nothing_that_is_hidden(people: None, tell: Tell, grace: User, make_user: Any) -> None:
    authors = [make_user(name) for name in ("muted", "blocking", "secret", "unwanted", "fine")]
    muted, blocking, secret, unwanted, fine = authors
    for author in (muted, blocking, fine):
        tell(author=author, created_at=NOON)
    tell(author=secret, audience="self")
    Article.objects.create(author=unwanted, title="x").mentioned.add(grace)
    drain()
    Mute.objects.create(by=grace, of=muted)
    Block.objects.create(by=blocking, of=grace)
    set_preference(grace, "publish", by_email=False)

    assert send_digests() == SENT

    for name in ("muted", "blocking", "secret", "unwanted"):
        assert name not in text() + html()
    assert "- fine moment" in text()
    assert " more" not in text().replace("no more", "")


def test_what_was_dismissed_or_seen_is_not_mailed(tell: Tell, grace: User) -> None:
    tell(created_at=NOON)
    dismiss_all(grace)
    tell(created_at=NOON + DAY)
    feeds.notifications(grace).mark(seen=True)
    assert send_digests() == DigestReport(empty=1)


def test_what_is_only_unwanted_in_the_feed_is_mailed(tell: Tell, grace: User) -> None:
    tell()
    set_preference(grace, "moment", in_feed=False)
    assert feeds.unseen(grace) == 0
    assert send_digests() == SENT


def test_what_was_mailed_and_is_done_again_is_not_mailed_again(
    praise: Callable[..., Praise], ada: User
) -> None:
    first = praise(ada)
    assert send_digests() == SENT
    first.delete()
    praise(ada)
    DigestSubscription.objects.update(period=None)
    assert send_digests() == DigestReport(empty=1)
    assert feeds.unseen(User.objects.get(username="grace")) == 1, "and on the site it was never seen"


class Killed(BaseException):
    """As a process that is gone: no handler of ours runs."""


@pytest.mark.parametrize("where", ["claimed", "sent"])
def test_who_is_killed_half_way_sends_no_second_one(
    where: str, tell: Tell, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*args: Any, **kwargs: Any) -> Any:
        raise Killed

    with time_machine.travel(NOON, tick=False):
        tell()
        with monkeypatch.context() as patch:
            if where == "claimed":
                patch.setattr(EmailBackend, "send_messages", dies)
            else:
                patch.setattr(Digest, "was_sent", dies)
            with pytest.raises(Killed):
                send_digests()
        assert send_digests() == DigestReport()
        assert len(mail.outbox) == (where == "sent")
    with time_machine.travel(NOON + DAY, tick=False):
        # What the one that was never sent would have told of is in the next one.
        assert send_digests().sent == (where == "claimed")
        assert len(mail.outbox) == 1


def test_of_what_the_mail_server_did_not_take_nothing_is_lost(
    tell: Tell, grace: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def lost(*args: Any, **kwargs: Any) -> Any:
        raise smtplib.SMTPServerDisconnected("gone")

    with time_machine.travel(NOON, tick=False):
        tell()
        with monkeypatch.context() as patch:
            patch.setattr(EmailBackend, "send_messages", lost)
            assert send_digests() == DigestReport(failed=1)
        assert "was not sent" in caplog.text
        assert send_digests() == DigestReport(), "it may have arrived"
    with time_machine.travel(NOON + DAY, tick=False):
        assert send_digests() == SENT


def test_where_no_mail_server_answers_nothing_is_claimed(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    tell()

    def refused(self: Any) -> Any:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "open", refused)
        with pytest.raises(ConnectionRefusedError):
            send_digests()
    assert send_digests() == SENT


def test_a_connection_that_breaks_is_opened_again(
    tell: Tell, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, closed, takes = [], [], iter([False, True])
    monkeypatch.setattr(EmailBackend, "open", lambda self: opened.append(1))
    monkeypatch.setattr(EmailBackend, "close", lambda self: closed.append(1))
    send = EmailBackend.send_messages

    def once_broken(backend: EmailBackend, messages: list[Any]) -> int:
        if not next(takes):
            raise smtplib.SMTPServerDisconnected("421")
        return send(backend, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", once_broken)
    other = User.objects.create(username="other", email="other@example.com")
    set_digest(other, "daily")
    tell().mentioned.add(other)
    drain()

    assert send_digests() == DigestReport(sent=1, failed=1)
    assert len(closed) == 2, "after the failure, and at the end"
    assert len(mail.outbox) == 1


def test_a_server_that_answers_no_more_ends_the_run_before_others_are_claimed(
    tell: Tell, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([True, True, False])

    def opened(backend: EmailBackend) -> None:
        if not next(answers):
            raise ConnectionRefusedError

    monkeypatch.setattr(EmailBackend, "open", opened, raising=False)
    other = User.objects.create(username="other", email="other@example.com")
    set_digest(other, "daily")
    with pytest.raises(ConnectionRefusedError):
        send_digests()
    assert DigestSubscription.objects.filter(period=None).count() == 1


def test_who_is_deleted_meanwhile_fails_alone(
    tell: Tell, grace: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    tell()
    settings.STREAM_NOTIFICATIONS_DIGEST = "daily"
    gone = User.objects.create(username="gone", email="gone@example.com")
    claim = sending.claim

    def claimed(user: User, *more: Any) -> Any:
        if user == gone:
            raise IntegrityError("there is no such user")
        return claim(user, *more)

    monkeypatch.setattr(sending, "claim", claimed)
    report = send_digests()
    assert (report.sent, report.failed) == (1, 1)


def test_where_the_feeds_cannot_be_read_it_is_tried_again(
    tell: Tell, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise ConnectionFailed("down")

    tell()
    with monkeypatch.context() as patch:
        patch.setattr(type(feed_manager.client.feed("user", "1")), "get", broken)
        assert send_digests() == DigestReport(failed=1)
        with pytest.raises(CommandError, match="1 digests failed"):
            call_command("stream_digests")
    assert send_digests() == SENT


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has one writer")
@pytest.mark.django_db(transaction=True)
def test_of_two_workers_at_once_one_sends(tell: Tell, grace: User) -> None:
    tell()
    now, barrier, claims = timezone.now(), threading.Barrier(2), []

    def work() -> None:
        barrier.wait(10)
        claims.append(sending.claim(grace, "daily", now))
        connection.close()

    for _ in range(5):
        claims.clear()
        DigestSubscription.objects.update(period=None)
        workers = [threading.Thread(target=work) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(30)
        assert sum(one is not None for one in claims) == 1


@pytest.mark.parametrize("frequency", ["off", "daily"])
def test_who_has_chosen_otherwise_since_the_list_was_read_gets_nothing(
    frequency: str, tell: Tell, grace: User
) -> None:
    set_digest(grace, frequency)
    now = timezone.now()
    DigestSubscription.objects.update(period=sending.first_day("daily", now))
    assert sending.claim(grace, "daily", now) is None


HOSTILE = "<script>alert(1)</script>\r\nBcc: x@example.com\u202e\x00\x1b[31m" + "y" * 5000


def test_whatever_people_write_is_harmless(grace: User, make_user: Any) -> None:
    evil = User.objects.create(username="<img src=x onerror=alert(1)>")
    title = HOSTILE.replace("\x00", "")[:100]
    Article.objects.create(author=evil, title=title).mentioned.add(grace)
    evil_feed = feed_manager.get_notification_feed(grace)
    evil_feed.add_activity({"actor": "javascript:alert(1)", "verb": "\u202everb", "object": "<b>\r\nX: y"})
    drain()

    assert send_digests() == SENT

    assert mail.outbox[0].message()["Bcc"] is None
    assert "\nBcc:" not in text()
    assert mail.outbox[0].recipients() == ["grace@example.com"]
    assert "\u202e" not in text() + html()
    assert "\x1b" not in text() + html()
    assert "<script" not in html()
    assert "<img" not in html()
    assert "<b>" not in html()
    assert 'href="javascript' not in html()
    assert max(map(len, text().splitlines())) < 1000


def test_links_lead_to_the_site_whatever_a_row_says(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = tell()
    for path, expected in (("/moments/1/", "https://example.com/moments/1/"), ("javascript:alert(1)", None)):
        monkeypatch.setattr(type(moment), "get_absolute_url", lambda self, path=path: path, raising=False)
        DigestSubscription.objects.update(period=None, mailed_until=None)
        Told.objects.all().delete()
        mail.outbox.clear()
        send_digests()
        if expected:
            assert f'href="{expected}"' in html()
            assert expected in text()
        else:
            assert path not in html() + text()


@pytest.mark.parametrize(
    ("language", "subject", "more"),
    [
        ("en", "2 new notifications", "and 1 more"),
        ("de", "2 neue Benachrichtigungen", "und 1 weitere"),
        ("fr", "2 nouvelles notifications", "et 1 autre"),
        ("es", "2 notificaciones nuevas", "y 1 más"),
        ("pt", "2 novas notificações", "e mais 1"),
        ("tr", "2 yeni bildirim", "ve 1 kişi daha"),
    ],
)
def test_they_are_in_the_language_of_the_reader(
    language: str,
    subject: str,
    more: str,
    tell: Tell,
    praise: Any,
    make_user: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Digest, "language", lambda self: language)
    tell()
    praise()
    praise(make_user("other"))

    send_digests()

    assert mail.outbox[0].subject == subject
    assert more in text()
    assert f'<html lang="{language}" dir="ltr">' in html()
    with translation.override(language):
        untranslated = translation.gettext("Get no more of these e-mails")
    assert untranslated in html()
    assert (untranslated == "Get no more of these e-mails") is (language == "en")


def test_a_long_one_says_that_there_is_more(articles: Callable[[int], None], grace: User) -> None:
    articles(23)
    send_digests()
    assert mail.outbox[0].subject == "20 new notifications"
    assert "There is more on the site." in text()
    assert "There is more on the site." in html()


@pytest.mark.parametrize("size", [1, 20])
def test_one_costs_the_same_for_few_and_many_notifications(
    size: int, articles: Callable[[int], None], grace: User, django_assert_num_queries: Any
) -> None:
    articles(size)
    list(feeds.notifications(grace).page())
    with django_assert_num_queries(QUERIES):
        assert send_digests() == SENT


QUERIES = 21


def test_the_command_and_the_task_send_them(
    tell: Tell, capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    tell()
    call_command("stream_digests", "--dry-run")
    assert "1 digests would be sent" in capsys.readouterr().out
    assert (mail.outbox, DigestSubscription.objects.get().period) == ([], None)
    call_command("stream_digests")
    assert "1 digests sent, 0 with nothing to tell" in capsys.readouterr().out
    assert send_due_digests() == {"sent": 0, "empty": 0, "failed": 0}
    settings.STREAM_NOTIFICATIONS_BASE_URL = ""
    with pytest.raises(CommandError, match="STREAM_NOTIFICATIONS_BASE_URL") as error:
        call_command("stream_digests")
    assert error.value.returncode == 2
    with pytest.raises(ImproperlyConfigured, match="STREAM_NOTIFICATIONS_BASE_URL"):
        send_digests()


@pytest.mark.parametrize(
    ("url", "digest", "wrong"),
    [
        ("https://example.com", "daily", False),
        ("", "off", False),
        ("", "daily", True),
        ("example.com", "off", True),
        ("javascript://x", "off", True),
        ("http://[", "off", True),
    ],
)
def test_an_address_that_is_none_is_told(url: str, digest: str, wrong: bool, settings: Any) -> None:
    settings.STREAM_NOTIFICATIONS_BASE_URL = url
    settings.STREAM_NOTIFICATIONS_DIGEST = digest
    assert [one.id for one in check_digests(None)] == ["django_stream.E090"] * wrong


class OwnDigest(Digest):
    """A site's own: another address, and another first word."""

    def address(self) -> str:
        return "own@example.com"

    def context(self) -> dict[str, Any]:
        return super().context() | {"has_more": True}

    def name_of(self, value: Any) -> str:
        return f"the\n\u202e{value}"


def test_a_site_has_its_own(tell: Tell, settings: Any) -> None:
    settings.STREAM_NOTIFICATIONS_DIGEST_CLASS = f"{__name__}.OwnDigest"
    tell()
    send_digests()
    assert mail.outbox[0].to == ["own@example.com"]
    assert "There is more on the site." in text()
    (line,) = [one for one in text().splitlines() if one.startswith("- ")]
    assert line.startswith("- the ada "), "made safe, and one line"
    assert "None" not in line


def path_of(user: User) -> str:
    return unsubscribe_url(user).removeprefix("https://example.com")


def test_one_click_ends_them(tell: Tell, grace: User) -> None:
    tell()
    send_digests()
    (header,) = re.findall(
        r"^List-Unsubscribe: (?:.|\n )*?$", mail.outbox[0].message().as_string(), re.M
    ) or [""]
    assert mail.outbox[0].extra_headers["List-Unsubscribe"] == f"<{unsubscribe_url(grace)}>"
    assert header
    program = Client(enforce_csrf_checks=True)

    answer = program.post(path_of(grace), {"List-Unsubscribe": "One-Click"})

    assert (answer.status_code, answer["Referrer-Policy"]) == (200, "no-referrer")
    assert "no-store" in answer["Cache-Control"]
    assert b"You will get no more" in answer.content
    with time_machine.travel(timezone.now() + 2 * DAY, tick=False):
        tell()
        assert send_digests() == DigestReport()
    assert program.post(path_of(grace)).status_code == 200, "again is no failure"


def test_whoever_follows_the_link_is_asked_first(client: Client, grace: User) -> None:
    answer = client.get(path_of(grace))
    assert b'<form method="post">' in answer.content
    assert client.head(path_of(grace)).status_code == 200
    assert DigestSubscription.objects.get().frequency == "daily"
    assert client.put(path_of(grace)).status_code == 405


def test_other_addresses_end_nothing(rf: RequestFactory, ada: User, grace: User) -> None:
    token, other = (path_of(user).split("/")[3] for user in (grace, ada))
    ada.delete()
    for wrong in (token[:-2] + "xx", token.replace(":", "x", 1), "x", other):
        for request in (rf.get("/"), rf.post("/")):
            with pytest.raises(Http404):
                UnsubscribeView.as_view()(request, token=wrong)
    assert DigestSubscription.objects.get().frequency == "daily"


def test_who_never_chose_can_unsubscribe(client: Client, ada: User, settings: Any) -> None:
    settings.STREAM_NOTIFICATIONS_DIGEST = "daily"
    client.post(path_of(ada))
    assert DigestSubscription.objects.get(user=ada).frequency == "off"
