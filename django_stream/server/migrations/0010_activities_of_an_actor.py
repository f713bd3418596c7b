from django.db import migrations, models

from django_stream.database.index_operations import AddIndexBesideWriters, RemoveIndexBesideWriters


class Migration(migrations.Migration):
    """What an actor did is read page by page, however much it is."""

    # Every post writes to this table: none waits for the new index, and the old one goes last.
    atomic = False

    dependencies = [
        ("django_stream_server", "0009_timelines_outside"),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name="activity",
            index=models.Index(fields=["application", "actor", "key"], name="dss_activity_actor_key"),
        ),
        RemoveIndexBesideWriters(
            model_name="activity",
            name="dss_activity_actor",
        ),
    ]
