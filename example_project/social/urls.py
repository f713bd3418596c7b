"""Pages of the social site. Usernames are more than slugs: a mail address is one, too."""

from django.contrib.auth.views import LogoutView
from django.urls import path, register_converter
from django.urls.converters import StringConverter

from example_project.social import views


class UsernameConverter(StringConverter):
    """PostgreSQL refuses null characters, which no name holds."""

    regex = r"[^/\x00]+"


register_converter(UsernameConverter, "username")

urlpatterns = [
    path("", views.home, name="home"),
    path("everyone/", views.everyone, name="everyone"),
    path("notifications/", views.notifications, name="notifications"),
    path("people/", views.people, name="people"),
    path("people/<username:username>/", views.profile, name="profile"),
    path("people/<username:username>/follow/", views.follow, name="follow"),
    path("posts/", views.compose, name="compose"),
    path("posts/<int:pk>/", views.post, name="post"),
    path("posts/<int:pk>/like/", views.like, name="like"),
    path("posts/<int:pk>/delete/", views.delete, name="delete"),
    path("sign-in/", views.SignIn.as_view(), name="login"),
    path("sign-out/", LogoutView.as_view(), name="logout"),
]
