from django.db import migrations, models

from django_stream.database.fields import OrderedUUIDField


class Migration(migrations.Migration):
    """Very many activities of one foreign_id are removed in steps, the newest first."""

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
                ("before", OrderedUUIDField()),
                ("posted_until", models.BigIntegerField()),
                ("kept", models.JSONField(default=list)),
                ("caller", models.CharField(blank=True, max_length=255)),
                ("touched_at", models.DateTimeField()),
            ],
        ),
    ]
