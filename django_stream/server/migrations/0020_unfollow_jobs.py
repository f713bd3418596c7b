from django.db import migrations, models

from django_stream.database.fields import OrderedUUIDField


class Migration(migrations.Migration):
    """Very much that a followed feed brought is taken off its former followers in steps."""

    dependencies = [
        ("django_stream_server", "0019_follows_of_a_pair"),
    ]

    operations = [
        migrations.CreateModel(
            name="UnfollowJob",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("feeds", models.JSONField()),
                ("targets", models.JSONField()),
                ("before", OrderedUUIDField(null=True)),
                ("touched_at", models.DateTimeField()),
            ],
        ),
    ]
