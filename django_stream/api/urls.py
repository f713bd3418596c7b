"""URLs of the site's own API: `path("feeds/", include("django_stream.api.urls"))`."""

from django.urls import path

from django_stream.api.people import FollowView, NotificationCountView, UserTokenView
from django_stream.api.views import FeedView

app_name = "django_stream_api"
# Feeds have one piece; all else has more, so that no feed group can be hidden by it.
urlpatterns = [
    path("users/<str:key>/follow/", FollowView.as_view(), name="follow"),
    path("me/notifications/count/", NotificationCountView.as_view(), name="notification-count"),
    path("me/token/", UserTokenView.as_view(), name="user-token"),
    path("<slug:slug>/", FeedView.as_view(), name="feed"),
]
