from django.db import migrations, models

from django_stream.database.index_operations import AddIndexBesideWriters


class Migration(migrations.Migration):
    """The follows of a pair of feeds have an index. Alone: killed, it can be done again."""

    # Follows come while it runs.
    atomic = False

    dependencies = [
        ("django_stream_server", "0018_lists_of_reactions"),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name="follow",
            index=models.Index(fields=["source", "target", "id"], name="dss_follow_pair"),
        ),
    ]
