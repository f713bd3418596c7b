from django.db import migrations, models

from django_stream.database.index_operations import AddIndexBesideWriters, RemoveIndexBesideWriters


class Migration(migrations.Migration):
    """Very many activities of one foreign_id are removed in steps, the newest first."""

    # Every post writes to this table: none waits for the new index, and the old one goes last.
    atomic = False

    dependencies = [
        ("django_stream_server", "0010_activities_of_an_actor"),
    ]

    operations = [
        migrations.CreateModel(
            name="RemovalJob",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("feed", models.BigIntegerField(db_index=True)),
                ("foreign_id", models.CharField(max_length=255)),
                ("before", models.UUIDField()),
                ("posted_until", models.BigIntegerField()),
                ("kept", models.JSONField(default=list)),
                ("caller", models.CharField(blank=True, max_length=255)),
                ("touched_at", models.DateTimeField()),
            ],
        ),
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
