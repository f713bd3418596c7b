from django.db import migrations, models

from django_stream.database.fields import OrderedUUIDField

TABLE = "django_stream_server_groupchange"


def cluster(apps, schema_editor):
    """On SQLite the table, empty as yet, is kept in the order of its primary key, without a second tree."""
    connection = schema_editor.connection
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = %s", [TABLE])
        for (definition,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE {schema_editor.quote_name(TABLE)}")
            cursor.execute(f"{definition} WITHOUT ROWID")


class Migration(migrations.Migration):

    dependencies = [
        ("django_stream_server", "0006_places_of_readers"),
    ]

    operations = [
        migrations.CreateModel(
            name="GroupChange",
            fields=[
                ("pk", models.CompositePrimaryKey("feed", "key", "came_at", blank=True, editable=False, primary_key=True, serialize=False)),
                ("feed", models.BigIntegerField()),
                ("key", OrderedUUIDField()),
                ("came_at", models.BigIntegerField()),
            ],
        ),
        migrations.AlterField(
            model_name="fanoutjob",
            name="feed",
            field=models.BigIntegerField(db_index=True),
        ),
        migrations.RunPython(cluster, migrations.RunPython.noop, elidable=False),
    ]
