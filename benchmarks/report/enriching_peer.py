"""stream-django's enrichment on the same rows, in the environment of its own: `enriching_peer.py ROWS`.

It makes rows of five models in memory's database, says `ready`, and answers each line, a number of
activities, with the seconds that enriching so many takes.
"""

from __future__ import annotations

import sys
import time

MODELS, CALLS = 5, 5


def main(rows: int) -> None:
    import django
    from django.conf import settings

    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "stream_django"],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        SECRET_KEY="benchmarks",
        STREAM_API_KEY="key",
        STREAM_API_SECRET="a secret of the length that the service gives out",
        USE_TZ=True,
    )
    django.setup()
    from django.contrib.auth.models import User
    from django.db import connection, models
    from stream_django.enrich import Enrich

    kinds = [
        type(
            f"Said{number}",
            (models.Model,),
            {
                "__module__": "stream_django.models",
                "title": models.CharField(max_length=100),
                "user": models.ForeignKey(User, models.CASCADE, related_name="+"),
                "created_at": models.DateTimeField(auto_now_add=True),
                "Meta": type("Meta", (), {"app_label": "stream_django"}),
            },
        )
        for number in range(MODELS)
    ]
    with connection.schema_editor() as editor:
        for model in (django.apps.apps.get_model("contenttypes.ContentType"), *_of_auth(), *kinds):
            editor.create_model(model)
    users = [User.objects.create(username=f"author{number}") for number in range(rows)]
    for model in kinds:
        model.objects.bulk_create(model(user=user, title="x") for user in users)
    activities = [
        {
            "actor": f"auth.User:{number // MODELS + 1}",
            "verb": "post",
            "object": f"stream_django.Said{number % MODELS}:{number // MODELS + 1}",
        }
        for number in range(rows)
    ]
    assert all(one.enriched for one in Enrich().enrich_activities([dict(one) for one in activities]))
    print("ready", flush=True)
    for line in sys.stdin:
        some = activities[: int(line)]
        started = time.perf_counter()
        for _ in range(CALLS):
            # A new object each time, as in a view; it fills what it is given.
            Enrich().enrich_activities([dict(one) for one in some])
        print((time.perf_counter() - started) / CALLS, flush=True)


def _of_auth() -> list[type]:
    from django.contrib.auth.models import Group, Permission, User

    return [Permission, Group, User]


if __name__ == "__main__":
    main(int(sys.argv[1]))
