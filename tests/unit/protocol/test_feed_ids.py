"""Feed ids are read strictly, and legacy tokens behind them are ignored."""

from __future__ import annotations

import pytest

from django_stream.protocol.feed_ids import FeedID, validate_feed_id, validate_feed_slug, validate_user_id


def test_a_feed_id_has_two_parts_and_a_packed_form() -> None:
    feed = FeedID.parse("user:44")

    assert (feed.slug, feed.user_id, feed.packed, str(feed)) == ("user", "44", "user44", "user:44")
    assert FeedID.parse(feed) is feed


def test_a_token_behind_a_feed_id_is_ignored() -> None:
    assert str(FeedID.parse("user:44 eyJhbGciOi.x.y")) == "user:44"


@pytest.mark.parametrize(
    "bad", ["user", "user:", ":1", "us er:1", "user:1:2", "user:é", "", None, 7, "user:1\n"]
)
def test_a_malformed_feed_id_is_refused_by_value(bad: object) -> None:
    with pytest.raises(ValueError, match="feed"):
        validate_feed_id(bad)


@pytest.mark.parametrize("bad", ["", "a b", "a:b", "a/b", "ünder"])
def test_slugs_and_user_ids_are_refused_by_name(bad: str) -> None:
    with pytest.raises(ValueError, match="feed slug"):
        validate_feed_slug(bad)
    with pytest.raises(ValueError, match="feed user id"):
        validate_user_id(bad)


@pytest.mark.parametrize("good", ["user", "user-1", "user_1", 12])
def test_word_characters_and_dashes_pass(good: object) -> None:
    assert validate_feed_slug(good) == validate_user_id(good) == str(good)
