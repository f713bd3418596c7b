"""A site with both halves and one read replica; cached is what all its processes share."""

import os

import dj_database_url

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, MIDDLEWARE

ROOT_URLCONF = "tests.scale.replica_urls"
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["replica"] = dj_database_url.parse(
    os.environ["REPLICA_URL"], conn_max_age=60, conn_health_checks=True
) | {"STREAM_REPLICA_OF": "default"}
DATABASE_ROUTERS = ["django_stream.database.replicas.ReplicaRouter"]
MIDDLEWARE = ["django_stream.database.replicas.replica_middleware", *MIDDLEWARE]
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": os.environ["CACHE_URL"]}
}
