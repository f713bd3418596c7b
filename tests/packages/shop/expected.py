"""What the feeds of the shop should hold, asked of its tables by SQL that nothing of ours has written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from django_stream.backends import get_client

Placed = dict[str, set[tuple[str, datetime]]]
"""By feed: foreign ids and times."""

SHOWN = """
    SELECT 'reviews.ProductReview:' || r.id AS name, r.date_created AS moment, r.user_id AS who, r.product_id
    FROM reviews_productreview r WHERE r.status = 1 AND r.user_id IS NOT NULL
    UNION ALL
    SELECT 'wishlists.Line:' || l.id, w.date_created, w.owner_id, l.product_id
    FROM wishlists_line l JOIN wishlists_wishlist w ON w.id = l.wishlist_id
    WHERE w.visibility = 'Public' AND l.product_id IS NOT NULL
"""
FEEDS = f"""
    WITH shown AS ({SHOWN}), follows AS (
        SELECT DISTINCT user_id, product_id FROM customer_productalert
        WHERE status = 'Active' AND user_id IS NOT NULL)
    SELECT 'user:' || who, name, moment FROM shown
    UNION SELECT 'user:catalogue-product-' || product_id, name, moment FROM shown WHERE product_id IS NOT NULL
    UNION SELECT 'timeline:' || f.user_id, name, moment
        FROM follows f JOIN shown s ON s.product_id = f.product_id
"""
VOTES = f"""
    SELECT s.name, v.user_id, v.delta, s.who FROM reviews_vote v
    JOIN ({SHOWN}) s ON s.name = 'reviews.ProductReview:' || v.review_id
"""
PRODUCTS = "SELECT id, title FROM catalogue_product"


def rows(query: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def check_feeds(users: list[int], products: list[int]) -> None:
    """Feeds, counts, reactions, notices and the collection equal the tables, also for rows that are gone."""
    wanted: Placed = {f"{slug}:{user}": set() for user in users for slug in ("user", "timeline")}
    wanted |= {f"user:catalogue-product-{product}": set() for product in products}
    for feed, name, moment in rows(FEEDS):
        wanted[feed].add((name, as_moment(moment)))
    ids = {}
    for feed, entries in wanted.items():
        found = list(pages(feed))
        times = [one["time"] for one in found]
        assert times == sorted(times, reverse=True), feed
        assert Counter((one["foreign_id"], one["time"]) for one in found) == Counter(entries), feed
        ids |= {one["foreign_id"]: one["id"] for one in found}
    for user in users:
        groups = pages(f"timeline_aggregated:{user}")
        assert sum(one["activity_count"] for one in groups) == len(wanted[f"timeline:{user}"])
    check_votes(users, ids)
    check_products(products)


def check_votes(users: list[int], ids: dict[str, str]) -> None:
    votes = rows(VOTES)
    told = Counter(author for _, voter, _, author in votes if voter != author)
    for user in users:
        found = get_client().reactions.filter(user_id=str(user), limit=100)["results"]
        there = [(one["activity_id"], one["data"]["delta"]) for one in found]
        assert Counter(there) == Counter((ids[name], delta) for name, by, delta, _ in votes if by == user)
        assert sum(one["activity_count"] for one in pages(f"notification:{user}")) == told[user]


def check_products(products: list[int]) -> None:
    wanted = {str(pk): title for pk, title in rows(PRODUCTS)}
    answer = get_client().collections.select("products", [str(pk) for pk in products])
    assert {one["id"]: one["data"]["title"] for one in answer["response"]["data"]} == wanted


def pages(feed: str) -> Iterator[Any]:
    client, options = get_client().feed(*feed.split(":")), {}
    while page := client.get(limit=100, **options)["results"]:
        yield from page
        options = {"id_lt": page[-1]["id"]}


def as_moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=moment.tzinfo or UTC)
