"""Admin of the test project: the action that publishes, on a tracked and on an untracked model."""

from django.contrib import admin

from django_stream.admin import FeedsAdminMixin, explain_in_feed, publish_to_feeds, remove_from_feeds
from tests.testapp.models import Article, Moment, Plain


@admin.register(Article, Plain)
class PublishingAdmin(admin.ModelAdmin):
    """Rows with the action."""

    actions = (publish_to_feeds, remove_from_feeds, explain_in_feed)


@admin.register(Moment)
class MomentAdmin(FeedsAdminMixin, admin.ModelAdmin):
    """Rows whose pages lead to the feeds."""
