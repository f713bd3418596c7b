"""URLs that buttons post to: `path("stream/", include("django_stream.urls"))`."""

from django.apps import apps
from django.urls import path

from django_stream.buttons.following import FollowView, UnfollowView
from django_stream.buttons.notifications import CountView, DismissAllView, DismissView, MarkView

app_name = "django_stream"
urlpatterns = [
    path("follow/<str:label>/<str:key>/", FollowView.as_view(), name="follow"),
    path("follow/<str:label>/<str:key>/all/", FollowView.as_view(what_is_said_of_it=True), name="follow-all"),
    path("unfollow/<str:label>/<str:key>/", UnfollowView.as_view(), name="unfollow"),
    path("notifications/mark/", MarkView.as_view(), name="mark"),
    path("notifications/count/", CountView.as_view(), name="notification-count"),
]
if apps.is_installed("django_stream.notifications"):
    urlpatterns += [
        path("notifications/dismiss/", DismissView.as_view(), name="dismiss"),
        path("notifications/dismiss/all/", DismissAllView.as_view(), name="dismiss-all"),
    ]
