"""What PostgreSQL and SQLite are asked, in the words of MariaDB."""

from __future__ import annotations

import pytest
from django.db import NotSupportedError

from django_stream.database.spelling import spelled

SPELLED = {
    "SELECT key, p.key, a.\"to\" FROM t WHERE key = 'key'": (
        "SELECT `key`, p.key, a.`to` FROM t WHERE `key` = 'key'"
    ),
    "SELECT floor_key, keys FROM t FOR NO KEY UPDATE": "SELECT floor_key, keys FROM t FOR NO KEY UPDATE",
    "SELECT o.slug || ':' || o.user_id, 1": "SELECT CONCAT(o.slug, ':', o.user_id), 1",
    "SELECT 1 WHERE s.slug || '' IN (%s)": "SELECT 1 WHERE CONCAT(s.slug, '') IN (%s)",
    "SELECT 'it''s \"so\"', 'key' || x": "SELECT 'it''s \"so\"', CONCAT('key', x)",
    "SELECT count(*) FILTER (WHERE NOT a) FROM t": "SELECT count(CASE WHEN NOT a THEN 1 END) FROM t",
    "INSERT INTO t (feed, key) SELECT 1, 2 ON CONFLICT DO NOTHING": (
        "INSERT INTO t (feed, `key`) SELECT 1, 2 ON DUPLICATE KEY UPDATE t.feed = t.feed"
    ),
    "INSERT INTO t (a, n) VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET n = t.n + excluded.n RETURNING n": (
        "INSERT INTO t (a, n) VALUES (1, 2) ON DUPLICATE KEY UPDATE n = t.n + VALUES(n) RETURNING n"
    ),
    "DELETE FROM t WHERE a IN (SELECT b FROM u)": "DELETE t FROM t WHERE a IN (SELECT b FROM u)",
    "DELETE FROM t WHERE a = 1 RETURNING a": "DELETE FROM t WHERE a = 1 RETURNING a",
    "DELETE FROM t WHERE a = 1 ORDER BY id DESC": "DELETE FROM t WHERE a = 1 ORDER BY id DESC",
    "DELETE FROM t WHERE EXISTS (SELECT 1 FROM t o WHERE o.a > t.a)": (
        "DELETE FROM t WHERE EXISTS (SELECT 1 FROM t o WHERE o.a > t.a)"
    ),
}


@pytest.mark.parametrize("text", SPELLED)
def test_a_statement_means_the_same(text: str) -> None:
    assert spelled(text) == SPELLED[text]
    many = ", %s" * 2_000
    assert spelled(f"SELECT key{many}") == f"SELECT `key`{many}", "also what is too long to be remembered"


def test_what_would_mean_something_else_is_refused() -> None:
    with pytest.raises(NotSupportedError, match="cannot be asked"):
        spelled("SELECT (a + b) || c FROM t")
