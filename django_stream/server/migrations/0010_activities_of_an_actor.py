from django.db import migrations, models


class Migration(migrations.Migration):
    """What an actor did is read page by page, however much it is."""

    dependencies = [
        ("django_stream_server", "0009_timelines_outside"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="activity",
            index=models.Index(fields=["application", "actor", "key"], name="dss_activity_actor_key"),
        ),
        migrations.RemoveIndex(
            model_name="activity",
            name="dss_activity_actor",
        ),
    ]
