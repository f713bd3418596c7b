"""Admin of the social site: its rows can be published again from here."""

from __future__ import annotations

from django.contrib import admin

from django_stream.admin import explain_in_feed, publish_to_feeds
from example_project.social.models import Follow, Like, Post


@admin.register(Post)
class PostAdmin(admin.ModelAdmin):
    list_display = ("text", "author", "created_at")
    list_select_related = ("author",)
    search_fields = ("text", "author__username")
    autocomplete_fields = ("author",)
    actions = (publish_to_feeds, explain_in_feed)


@admin.register(Follow)
class FollowAdmin(admin.ModelAdmin):
    list_display = ("follower", "followed", "created_at")
    list_select_related = ("follower", "followed")
    autocomplete_fields = ("follower", "followed")
    actions = (publish_to_feeds, explain_in_feed)


@admin.register(Like)
class LikeAdmin(admin.ModelAdmin):
    list_display = ("user", "post", "created_at")
    list_select_related = ("user", "post")
    autocomplete_fields = ("user", "post")
    actions = (publish_to_feeds, explain_in_feed)
