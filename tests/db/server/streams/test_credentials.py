"""Tokens of open connections are checked again: what was let in may have to leave."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_stream.server.models import ApiKey, Application
from django_stream.server.streams import log, rounds
from django_stream.server.streams.rounds import Credential
from tests.contract.calling import token
from tests.db.server.streams.calling import APP

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> ApiKey:
    return ApiKey.objects.create(application=Application.objects.create())


def refusal(credential: Credential) -> str:
    """The slug with which the connections of a credential end; empty while they stay."""
    found = rounds.read(0, None, [], [credential], woken=False)
    return found.refusals[credential].slug or "refused" if found.refusals else ""


def test_a_token_leaves_with_its_key(key):
    credential = Credential(key.application_id, token(APP, key.secret()))
    assert refusal(credential) == ""
    key.rotate()
    assert refusal(credential) == ""
    ApiKey.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
    assert refusal(credential) == "invalid-token"
    key.delete()
    assert refusal(credential) == "invalid-token"


def test_a_suspended_application_leaves_whatever_it_was_let_in_by(key):
    credentials = [Credential(key.application_id, given) for given in ("", token(APP, key.secret()))]
    Application.objects.update(is_suspended=True)
    assert [refusal(one) for one in credentials] == ["refused", "refused"]


def test_tokens_are_looked_at_only_when_it_is_time(key):
    wrong = Credential(key.application_id, "x")
    found = rounds.read(0, log.state().version, [], [wrong], woken=False)
    assert (found.subscriptions, found.refusals) == (None, {})
