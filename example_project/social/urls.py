"""Pages of the social site. Usernames are more than slugs: a mail address is one, too."""

from django.contrib.auth.views import LogoutView
from django.urls import path, register_converter
from django.urls.converters import StringConverter

from example_project.social.views import accounts, notifications, people, posts, streams


class UsernameConverter(StringConverter):
    """PostgreSQL refuses null characters, which no name holds."""

    regex = r"[^/\x00]+"


register_converter(UsernameConverter, "username")

urlpatterns = [
    path("", streams.home, name="home"),
    path("popular/", streams.popular, name="popular"),
    path("summary/", streams.summary, name="summary"),
    path("everyone/", streams.everyone, name="everyone"),
    path("notifications/", notifications.news, name="notifications"),
    path("notifications/read/", notifications.mark_read, name="mark-read"),
    path("notifications/dismiss/", notifications.dismiss, name="dismiss"),
    path("preferences/", notifications.preferences, name="preferences"),
    path("people/", people.people, name="people"),
    path("people/<username:username>/", streams.profile, name="profile"),
    path("people/<username:username>/follow/", people.follow, name="follow"),
    path("people/<username:username>/mute/", people.mute, name="mute"),
    path("people/<username:username>/block/", people.block, name="block"),
    path("requests/<int:pk>/", people.answer, name="answer"),
    path("posts/", posts.compose, name="compose"),
    path("posts/<int:pk>/", posts.post, name="post"),
    path("posts/<int:pk>/like/", posts.like, name="like"),
    path("posts/<int:pk>/comment/", posts.comment, name="comment"),
    path("posts/<int:pk>/delete/", posts.delete, name="delete"),
    path("posts/<int:pk>/pipeline/", posts.pipeline, name="pipeline"),
    path("comments/<int:pk>/delete/", posts.delete_comment, name="delete-comment"),
    path("settings/", accounts.account, name="settings"),
    path("sign-in/", accounts.SignIn.as_view(), name="login"),
    path("sign-up/", accounts.sign_up, name="sign-up"),
    path("sign-out/", LogoutView.as_view(), name="logout"),
]
