from django.db import migrations, models


class Migration(migrations.Migration):
    """Decisions of moderators are kept whole: as long as every other text of the API."""

    dependencies = [
        ("django_stream_server", "0016_mark_jobs"),
    ]

    operations = [
        migrations.AlterField(
            model_name="moderationstatus",
            name=name,
            field=models.CharField(blank=True, max_length=255),
        )
        for name in ("status", "recommended_action", "latest_moderator_action")
    ]
