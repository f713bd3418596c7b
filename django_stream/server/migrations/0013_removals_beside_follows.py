from django.db import migrations, models


class Migration(migrations.Migration):
    """A removal under way knows what following had brought before it."""

    dependencies = [
        ("django_stream_server", "0012_activities_of_a_foreign_id"),
    ]

    operations = [
        migrations.AddField(
            model_name="removaljob",
            name="followed",
            field=models.JSONField(null=True),
        ),
    ]
