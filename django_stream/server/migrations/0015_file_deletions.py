import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """Bytes of deleted files are noted until the storage has deleted them.

    To undo it forgets what still waits: run `stream_server_maintain` until it tells of none before.
    """

    dependencies = [
        ("django_stream_server", "0014_pulled_placements"),
    ]

    operations = [
        migrations.CreateModel(
            name="FileDeletion",
            fields=[
                ("name", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("application_id", models.BigIntegerField()),
                ("user_id", models.CharField(blank=True, max_length=255, verbose_name="owner")),
                ("noted_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("due_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
        ),
    ]
