"""The server's tables, in the order of the models package; only Application must come first."""

from django.db import migrations, models
from django.db.models import CASCADE, Q
from django.utils import timezone

from django_stream.database.fields import OrderedUUIDField
from django_stream.server.models.applications import new_api_key, new_app_id
from django_stream.server.models.files import new_file_key

VISIBLE = Q(deleted_at__isnull=True)
TOP_LEVEL = Q(parent__isnull=True)
CHILD = Q(parent__isnull=False)

# Narrow tables that SQLite keeps in the order of their primary keys, without a second tree.
CLUSTERED = ("bucketentry", "exclusion", "placement", "timelineentry")


def application(**options):
    options = {"db_index": False, "related_name": "+"} | options
    return models.ForeignKey("django_stream_server.application", CASCADE, **options)


def feed():
    return models.ForeignKey("django_stream_server.feed", CASCADE, db_index=False, related_name="+")


def cluster(apps, schema_editor):
    """Django has no word for WITHOUT ROWID: the tables, empty as yet, are made anew with it."""
    connection = schema_editor.connection
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        for name in CLUSTERED:
            table = f"django_stream_server_{name}"
            # The table's own statement comes first, then those of its indexes.
            cursor.execute(
                "SELECT sql FROM sqlite_master "
                "WHERE tbl_name = %s AND sql IS NOT NULL ORDER BY type = 'index'",
                [table],
            )
            definition, *indexes = [sql for (sql,) in cursor.fetchall()]
            cursor.execute(f"DROP TABLE {schema_editor.quote_name(table)}")
            cursor.execute(f"{definition} WITHOUT ROWID")
            for index in indexes:
                cursor.execute(index)


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            "Application",
            [
                (
                    "id",
                    models.BigIntegerField("app id", primary_key=True, serialize=False, default=new_app_id),
                ),
                ("name", models.CharField(max_length=100, blank=True)),
                ("is_suspended", models.BooleanField("suspended", default=False)),
                ("created_at", models.DateTimeField(default=timezone.now, editable=False)),
            ],
        ),
        migrations.CreateModel(
            "ApiKey",
            [
                (
                    "key",
                    models.CharField(max_length=64, primary_key=True, serialize=False, default=new_api_key),
                ),
                ("application", application(db_index=True, related_name="api_keys")),
                ("generation", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "previous_until",
                    models.DateTimeField("former secret valid until", null=True, editable=False),
                ),
                ("created_at", models.DateTimeField(default=timezone.now, editable=False)),
            ],
            {"verbose_name": "API key"},
        ),
        migrations.CreateModel(
            "Activity",
            [
                ("pk", models.CompositePrimaryKey("application_id", "key", serialize=False)),
                ("application", application()),
                ("key", OrderedUUIDField()),
                ("actor", models.CharField(max_length=255)),
                ("verb", models.CharField(max_length=255)),
                ("object", models.CharField(max_length=255)),
                ("target", models.CharField(max_length=255, blank=True)),
                ("foreign_id", models.CharField(max_length=255, blank=True)),
                ("to", models.JSONField(default=list)),
                ("extra", models.JSONField(default=dict)),
                ("buckets", models.JSONField(default=dict)),
                ("is_erased", models.BooleanField(default=False)),
            ],
            {
                "verbose_name_plural": "activities",
                "indexes": [
                    models.Index(
                        fields=["application", "foreign_id"],
                        condition=~Q(foreign_id=""),
                        name="dss_activity_foreign",
                    ),
                    models.Index(fields=["application", "actor"], name="dss_activity_actor"),
                ],
            },
        ),
        migrations.CreateModel(
            "AuditLog",
            [
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("application", application()),
                ("entity_type", models.CharField(max_length=64)),
                ("entity_id", models.CharField(max_length=600)),
                ("action", models.CharField(max_length=64)),
                ("user_id", models.CharField(max_length=255, blank=True)),
                ("custom", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(default=timezone.now, editable=False)),
            ],
            {
                "indexes": [
                    models.Index(
                        fields=["application", "entity_type", "entity_id", "id"], name="dss_audit_entity"
                    ),
                    models.Index(fields=["application", "user_id", "id"], name="dss_audit_user"),
                    models.Index(fields=["created_at"], name="dss_audit_age"),
                ],
            },
        ),
        migrations.CreateModel(
            "ModerationFlag",
            [
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("application", application(db_index=True)),
                ("entity_type", models.CharField(max_length=64)),
                ("entity_id", models.CharField(max_length=255)),
                ("user_id", models.CharField("reported by", max_length=255)),
                ("reason", models.TextField(blank=True)),
                ("custom", models.JSONField(default=dict, blank=True)),
                ("created_at", models.DateTimeField(default=timezone.now, editable=False)),
            ],
        ),
        migrations.CreateModel(
            "ModerationStatus",
            [
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("application", application(db_index=True)),
                ("entity_type", models.CharField(max_length=64)),
                ("entity_id", models.CharField(max_length=255)),
                ("moderator_id", models.CharField(max_length=255)),
                ("status", models.CharField(max_length=64, blank=True)),
                ("recommended_action", models.CharField(max_length=64, blank=True)),
                ("latest_moderator_action", models.CharField(max_length=64, blank=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            {
                "verbose_name_plural": "moderation statuses",
                "constraints": [
                    models.UniqueConstraint(
                        fields=["application", "entity_type", "entity_id"], name="dss_moderated_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "CollectionEntry",
            [
                (
                    "pk",
                    models.CompositePrimaryKey("application_id", "collection", "entry_id", serialize=False),
                ),
                ("application", application()),
                ("collection", models.CharField(max_length=255)),
                ("entry_id", models.CharField(max_length=255)),
                ("user_id", models.CharField("owner", max_length=255, blank=True)),
                ("data", models.JSONField()),
                ("created_at", models.DateTimeField(default=timezone.now)),
                ("updated_at", models.DateTimeField(default=timezone.now)),
            ],
            {"verbose_name_plural": "collection entries"},
        ),
        migrations.CreateModel(
            "Feed",
            [
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("application", application()),
                ("slug", models.CharField(max_length=255)),
                ("user_id", models.CharField(max_length=255)),
                ("version", models.BigIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(default=timezone.now, editable=False)),
            ],
            {
                "constraints": [
                    models.UniqueConstraint(fields=["application", "slug", "user_id"], name="dss_feed_name"),
                ],
            },
        ),
        migrations.CreateModel(
            "Placement",
            [
                ("pk", models.CompositePrimaryKey("feed_id", "key", serialize=False)),
                ("feed", feed()),
                ("key", OrderedUUIDField()),
                ("seq", models.BigIntegerField(null=True)),
                ("targeted", models.BooleanField(default=False)),
            ],
            {"indexes": [models.Index(fields=["key"], name="dss_placement_key")]},
        ),
        migrations.CreateModel(
            "Exclusion",
            [
                ("pk", models.CompositePrimaryKey("feed_id", "key", serialize=False)),
                ("feed", feed()),
                ("key", OrderedUUIDField()),
            ],
        ),
        migrations.CreateModel(
            "Follow",
            [
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("source", feed()),
                ("target", feed()),
                ("since_seq", models.BigIntegerField()),
                ("floor_key", OrderedUUIDField(null=True)),
                ("until_seq", models.BigIntegerField(null=True)),
                ("created_at", models.DateTimeField(default=timezone.now, editable=False)),
            ],
            {
                "constraints": [
                    models.UniqueConstraint(
                        fields=["source", "target"],
                        condition=Q(until_seq__isnull=True),
                        name="dss_follow_once",
                    ),
                ],
                "indexes": [
                    models.Index(fields=["target", "id"], name="dss_follow_target"),
                    models.Index(fields=["source", "id"], name="dss_follow_source"),
                ],
            },
        ),
        migrations.CreateModel(
            "StoredFile",
            [
                (
                    "key",
                    models.CharField(max_length=64, primary_key=True, serialize=False, default=new_file_key),
                ),
                ("application", application(db_index=True)),
                ("user_id", models.CharField("owner", max_length=255, blank=True)),
                ("name", models.CharField(max_length=255)),
                ("is_image", models.BooleanField(default=False)),
                ("content_type", models.CharField(max_length=100)),
                ("size", models.BigIntegerField()),
                ("source", models.CharField(max_length=64, blank=True)),
                ("variant", models.CharField(max_length=64, blank=True)),
                ("created_at", models.DateTimeField(default=timezone.now, editable=False)),
            ],
            {
                "constraints": [
                    models.UniqueConstraint(
                        fields=["source", "variant"], condition=~Q(source=""), name="dss_file_variant"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "Reaction",
            [
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("application", application()),
                ("reaction_id", models.CharField(max_length=255)),
                ("kind", models.CharField(max_length=255)),
                ("activity", OrderedUUIDField()),
                (
                    "parent",
                    models.ForeignKey(
                        "django_stream_server.reaction",
                        CASCADE,
                        null=True,
                        db_index=False,
                        related_name="children",
                    ),
                ),
                ("parent_reaction_id", models.CharField(max_length=255, blank=True)),
                ("level", models.PositiveSmallIntegerField(default=1)),
                ("user_id", models.CharField(max_length=255)),
                ("data", models.JSONField(default=dict)),
                ("target_feeds", models.JSONField(default=list)),
                ("target_feeds_extra_data", models.JSONField(null=True)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("deleted_at", models.DateTimeField(null=True)),
                ("deleted_with", models.BigIntegerField(null=True)),
            ],
            {
                "constraints": [
                    models.UniqueConstraint(fields=["application", "reaction_id"], name="dss_reaction_id"),
                ],
                "indexes": [
                    models.Index(
                        fields=["application", "activity", "kind", "id"],
                        condition=VISIBLE & TOP_LEVEL,
                        name="dss_reaction_kind",
                    ),
                    models.Index(
                        fields=["application", "activity", "id"],
                        condition=VISIBLE & TOP_LEVEL,
                        name="dss_reaction_activity",
                    ),
                    models.Index(
                        fields=["application", "user_id", "activity", "kind", "id"],
                        condition=VISIBLE & TOP_LEVEL,
                        name="dss_reaction_own",
                    ),
                    models.Index(fields=["application", "user_id", "id"], name="dss_reaction_user"),
                    models.Index(
                        fields=["application", "user_id", "kind", "id"],
                        condition=VISIBLE,
                        name="dss_reaction_user_kind",
                    ),
                    models.Index(fields=["parent", "id"], condition=CHILD, name="dss_reaction_children"),
                    models.Index(
                        fields=["parent", "user_id", "kind", "id"],
                        condition=VISIBLE & CHILD,
                        name="dss_reaction_own_children",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "ReactionCount",
            [
                ("pk", models.CompositePrimaryKey("application_id", "activity", "kind", serialize=False)),
                ("application", application()),
                ("activity", OrderedUUIDField()),
                ("kind", models.CharField(max_length=255)),
                ("count", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            "ChildCount",
            [
                ("pk", models.CompositePrimaryKey("parent_id", "kind", serialize=False)),
                (
                    "parent",
                    models.ForeignKey(
                        "django_stream_server.reaction", CASCADE, db_index=False, related_name="+"
                    ),
                ),
                ("kind", models.CharField(max_length=255)),
                ("count", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            "TimelineEntry",
            [
                ("pk", models.CompositePrimaryKey("feed", "key", "via", serialize=False)),
                ("feed", models.BigIntegerField()),
                ("key", OrderedUUIDField()),
                ("via", models.BigIntegerField()),
            ],
            {"verbose_name_plural": "timeline entries"},
        ),
        migrations.CreateModel(
            "Bucket",
            [
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("feed", models.BigIntegerField()),
                ("name", models.CharField(max_length=255)),
                ("newest", OrderedUUIDField(null=True)),
                ("activity_count", models.IntegerField(default=0)),
                ("actor_count", models.IntegerField(default=0)),
                ("is_seen", models.BooleanField(default=True)),
                ("is_read", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
            ],
            {
                "constraints": [models.UniqueConstraint(fields=["feed", "name"], name="dss_bucket_name")],
                "indexes": [
                    models.Index(fields=["feed", "newest"], name="dss_bucket_page"),
                    models.Index(
                        fields=["feed", "is_seen", "is_read"],
                        condition=Q(is_seen=False) | Q(is_read=False),
                        name="dss_bucket_waiting",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "BucketEntry",
            [
                ("pk", models.CompositePrimaryKey("feed", "key", serialize=False)),
                ("feed", models.BigIntegerField()),
                ("key", OrderedUUIDField()),
                ("bucket", models.BigIntegerField()),
            ],
            {
                "verbose_name_plural": "bucket entries",
                "indexes": [models.Index(fields=["bucket", "key"], name="dss_bucketentry_newest")],
            },
        ),
        migrations.CreateModel(
            "Spread",
            [
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("feed", models.BigIntegerField()),
                ("keys", models.JSONField()),
                (
                    "change",
                    models.CharField(
                        max_length=9,
                        choices=[("placed", "Placed"), ("withdrawn", "Withdrawn"), ("edited", "Edited")],
                    ),
                ),
                ("position", models.BigIntegerField(default=0)),
                ("touched_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            "StreamUser",
            [
                ("pk", models.CompositePrimaryKey("application_id", "user_id", serialize=False)),
                ("application", application()),
                ("user_id", models.CharField(max_length=255)),
                ("data", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(default=timezone.now)),
                ("updated_at", models.DateTimeField(default=timezone.now)),
            ],
            {"verbose_name": "user"},
        ),
        migrations.RunPython(cluster, migrations.RunPython.noop),
    ]
