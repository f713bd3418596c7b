from django.db import migrations, models

from django_stream.database.index_operations import AddIndexBesideWriters, RemoveIndexBesideWriters


class Migration(migrations.Migration):
    """Activities of one foreign_id are found in their order. Alone: killed, it can be done again."""

    # Every post writes to this table: none waits for the new index, and the old one goes last.
    atomic = False

    dependencies = [
        ("django_stream_server", "0011_removal_jobs"),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name="activity",
            index=models.Index(
                condition=~models.Q(foreign_id=""),
                fields=["application", "foreign_id", "key"],
                name="dss_activity_foreign_key",
            ),
        ),
        RemoveIndexBesideWriters(
            model_name="activity",
            name="dss_activity_foreign",
        ),
    ]
