"""Tables and columns take the names that the documentation uses; no row is rewritten.

Indexes and constraints keep theirs: SQLite would build them anew, and nobody but EXPLAIN names them.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("django_stream_server", "0001_initial")]

    operations = [
        migrations.RenameModel("Bucket", "ActivityGroup"),
        migrations.RenameModel("BucketEntry", "ActivityGroupEntry"),
        migrations.AlterModelOptions("activitygroupentry", {"verbose_name_plural": "activity group entries"}),
        migrations.RenameField("ActivityGroupEntry", "bucket", "group_id"),
        # The database has renamed the index's column along with the table's; Django's state has not.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex("activitygroupentry", "dss_bucketentry_newest"),
                migrations.AddIndex(
                    "activitygroupentry",
                    models.Index(fields=["group_id", "key"], name="dss_bucketentry_newest"),
                ),
            ],
        ),
        migrations.RenameModel("Spread", "FanoutJob"),
        migrations.RenameField("Activity", "buckets", "group_names"),
    ]
