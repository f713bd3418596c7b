from django.db import migrations, models

from django_stream.database.fields import OrderedUUIDField


class Migration(migrations.Migration):
    """Very many groups of a feed are marked in steps, the newest first."""

    dependencies = [
        ("django_stream_server", "0015_file_deletions"),
    ]

    operations = [
        migrations.CreateModel(
            name="MarkJob",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("feed", models.BigIntegerField()),
                (
                    "change",
                    models.CharField(
                        choices=[("seen", "Seen"), ("read", "Read"), ("unread", "Unread")], max_length=6
                    ),
                ),
                ("before", OrderedUUIDField()),
                ("until", models.DateTimeField()),
                ("kept", models.JSONField(default=list)),
                ("touched_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("feed", "change"), name="dss_markjob_change")
                ],
            },
        ),
    ]
