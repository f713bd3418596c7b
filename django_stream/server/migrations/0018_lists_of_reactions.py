from django.db import migrations, models

from django_stream.database.index_operations import AddIndexBesideWriters, RemoveIndexBesideWriters

VISIBLE = models.Q(deleted_at__isnull=True)
TOP_LEVEL = models.Q(parent__isnull=True)
CHILD = models.Q(parent__isnull=False)
LISTED = models.Q(deleted_with__isnull=True) | models.Q(deleted_with__isnull=False)
BY_KIND = models.Q(target_feeds_extra_data__isnull=True) | models.Q(target_feeds_extra_data__isnull=False)
INDEXES = [
    ("dss_reaction_list_kind", ["application", "activity", "kind", "id"], VISIBLE & TOP_LEVEL & BY_KIND),
    ("dss_reaction_list_activity", ["application", "activity", "id"], VISIBLE & TOP_LEVEL & LISTED),
    ("dss_reaction_list_user", ["application", "user_id", "id"], LISTED),
    ("dss_reaction_list_user_kind", ["application", "user_id", "kind", "id"], VISIBLE & BY_KIND),
    ("dss_reaction_list_children", ["parent", "id"], VISIBLE & CHILD & LISTED),
    ("dss_reaction_list_child_kind", ["parent", "kind", "id"], VISIBLE & CHILD & BY_KIND),
]
FORMER = ["dss_reaction_kind", "dss_reaction_activity", "dss_reaction_user", "dss_reaction_user_kind"]


class Migration(migrations.Migration):
    """Lists of reactions have indexes that nothing else takes. Alone: killed, it can be done again."""

    # Reactions come while it runs: none waits for a new index. Processes of before do not say what their
    # conditions want, and read lists slowly once the old ones go: at the end, all together.
    atomic = False

    dependencies = [
        ("django_stream_server", "0017_longer_decisions"),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name="reaction", index=models.Index(fields=fields, condition=condition, name=name)
        )
        for name, fields, condition in INDEXES
    ] + [RemoveIndexBesideWriters(model_name="reaction", name=name) for name in FORMER]
