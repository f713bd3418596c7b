"""A post, what people do about it, and the way it takes to the feeds."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from django_stream import feeds
from django_stream.feeds import feed_manager
from django_stream.models import OutboxEntry, Publication
from django_stream.tracking import explain
from example_project.social.actions import back, signed_in_post
from example_project.social.forms import CommentForm, PostForm
from example_project.social.likes import count_likes
from example_project.social.models import PUBLIC_FEED, Comment, Like, Post, count_popularity

_SHOWN = 50


def post(request: HttpRequest, pk: int, form: CommentForm | None = None) -> HttpResponse:
    """One post, what people answer, and those who like it."""
    shown = _visible_post(request, pk)
    count_likes([shown], request.user)
    comments = feeds.visible_to(request.user, shown.comments.select_related("user"))
    likers = feeds.visible_to(request.user, User.objects.filter(likes__post=shown))
    context = {
        "post": shown,
        "comments": comments[:_SHOWN],
        "comment_count": comments.count(),
        "likers": likers.order_by("-likes__created_at")[:_SHOWN],
        "form": form or CommentForm(),
    }
    return render(request, "social/post.html", context, status=400 if form else 200)


@signed_in_post
def compose(request: HttpRequest) -> HttpResponse:
    form = PostForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "social/compose.html", {"form": form}, status=400)
    form.instance.author = request.user
    form.save()
    messages.success(request, "Posted, and on its way to your followers.")
    return redirect("home")


@signed_in_post
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a post of one's own."""
    get_object_or_404(Post, pk=pk, author=request.user).delete()
    messages.success(request, "Deleted, and on its way out of every timeline.")
    return redirect("home")


@signed_in_post
@transaction.atomic
def like(request: HttpRequest, pk: int) -> HttpResponse:
    """Like a post, or take the like back."""
    liked = _visible_post(request, pk)
    if request.POST.get("stop"):
        Like.objects.filter(user=request.user, post=liked).delete()
    else:
        Like.objects.get_or_create(user=request.user, post=liked)
    count_popularity(Post.objects.filter(pk=pk))
    return redirect(back(request, liked.get_absolute_url()))


@signed_in_post
@transaction.atomic
def comment(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer a post."""
    answered = _visible_post(request, pk)
    form = CommentForm(request.POST)
    if not form.is_valid():
        return post(request, pk, form)
    form.instance.user, form.instance.post = request.user, answered
    form.save()
    count_popularity(Post.objects.filter(pk=pk))
    return redirect(f"{answered.get_absolute_url()}#comment-{form.instance.pk}")


@signed_in_post
@transaction.atomic
def delete_comment(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a comment of one's own."""
    mine = get_object_or_404(Comment.objects.select_related("post"), pk=pk, user=request.user)
    mine.delete()
    count_popularity(Post.objects.filter(pk=mine.post_id))
    return redirect(mine.post)


@login_required
def pipeline(request: HttpRequest, pk: int) -> HttpResponse:
    """The way of a post of one's own: from its row over the outbox and the ledger to the feeds."""
    shown = get_object_or_404(Post.objects.select_related("author"), pk=pk, author=request.user)
    named = {"model_label": Post._meta.label, "object_key": str(pk)}
    follower = request.user.followers.filter(is_accepted=True).order_by("-created_at").first()
    places = {"Your profile": feed_manager.get_user_feed(request.user).id, "Everyone": PUBLIC_FEED}
    if follower is not None:
        places["The home of a follower"] = feed_manager.get_feed("timeline", follower.follower_id).id
    context = {
        "post": shown,
        "waiting": OutboxEntry.objects.filter(**named),
        "publication": Publication.objects.filter(**named).first(),
        # Who mutes or blocks whom is nobody else's business.
        "feeds": [
            (name, feed, [reason for reason in explain(shown, feed) if reason.about != "viewer"])
            for name, feed in places.items()
        ],
    }
    return render(request, "social/pipeline.html", context)


def _visible_post(request: HttpRequest, pk: int) -> Post:
    rows = feeds.visible_to(request.user, Post.objects.select_related("author"))
    found: Post = get_object_or_404(rows, pk=pk)
    return found
