"""Makes stream_framework.json.gz, by Stream-Framework itself:

    python make_stream_framework.py redis://127.0.0.1:6399/0

in an environment that has the package, `redis<3`, `celery` and `six`, with an empty Redis. What comes out are
the keys of that Redis, and what the package shows of them.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import stream_framework.settings

WHERE = urlsplit(sys.argv[1])
stream_framework.settings.STREAM_REDIS_CONFIG = {
    "default": {"host": WHERE.hostname, "port": WHERE.port, "db": int(WHERE.path[1:]), "password": None}
}

from redis import StrictRedis  # noqa: E402
from stream_framework.activity import Activity  # noqa: E402
from stream_framework.feeds.redis import RedisFeed  # noqa: E402
from stream_framework.verbs.base import Add, Comment, Love  # noqa: E402


class UserFeed(RedisFeed):
    key_format = "user_feed:%(user_id)s"


def make() -> dict:
    chance = random.Random(3)
    for number in range(2_000):
        extra = {}
        if number % 4 == 0:
            extra = {"number": number, "text": "a, b"}
        if number % 200 == 1:
            extra = {"path": Path("/etc")}
        activity = Activity(
            chance.randint(1, 20),
            chance.choice([Add, Comment, Love]),
            chance.randint(1, 12),  # two of these are gone
            target=chance.choice([None, chance.randint(1, 10)]),
            time=datetime(2019, 1, 1) + timedelta(minutes=number, microseconds=number * 1000),
            extra_context=extra,
        )
        UserFeed.insert_activity(activity)
        UserFeed(activity.actor_id).add(activity)
        if number % 50 == 0:
            UserFeed(activity.actor_id).remove(activity)
    return {str(user): [str(one.serialization_id) for one in UserFeed(user)[:1000]] for user in range(1, 21)}


if __name__ == "__main__":
    shown = make()
    redis = StrictRedis.from_url(sys.argv[1])
    made: dict = {"sets": {}, "hashes": {}, "shown": shown}
    for key in sorted(redis.keys("*")):
        name = key.decode()
        if redis.type(key) == b"zset":
            pairs = redis.zrange(key, 0, -1, withscores=True)
            made["sets"][name] = [[value.decode(), score] for value, score in pairs]
        else:
            fields = sorted(redis.hgetall(key).items())
            made["hashes"][name] = {field.decode(): value.decode() for field, value in fields}
    text = json.dumps(made, separators=(",", ":"))
    with gzip.GzipFile(Path(__file__).with_name("stream_framework.json.gz"), "wb", mtime=0) as file:
        file.write(text.encode())
