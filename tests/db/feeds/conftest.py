"""People who mute and block one another, for the time of a test."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models.signals import post_save

from django_stream.activities import relations, visibility
from django_stream.tracking import register_blocks, register_mutes
from tests.testapp.models import Block, Mute


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Rows of Mute and Block mean what they say, and nothing that a test registers stays."""
    monkeypatch.setattr(relations, "_relations", {})
    monkeypatch.setattr(visibility, "_registered", {})
    register_mutes(Mute, by="by", of="of")
    register_blocks("testapp.Block", by="by", of="of")
    yield
    post_save.disconnect(sender=Block, dispatch_uid="django_stream.blocks.testapp.Block.by.of")
