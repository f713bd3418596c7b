"""URLs of the site's own API: `path("feeds/", include("django_stream.api.urls"))`."""

from django.apps import apps
from django.urls import path

from django_stream.api.notifications import NotificationsView, NotificationView, PreferencesView
from django_stream.api.people import FollowView, NotificationCountView, UserTokenView
from django_stream.api.reactions import ReactionsView, ReactionView
from django_stream.api.views import FeedView

app_name = "django_stream_api"
_REACTIONS = "reactions/<str:kind>/<str:label>/<str:key>/"
# Feeds have one piece; all else has more, so that no feed group can be hidden by it.
urlpatterns = [
    path("users/<str:key>/follow/", FollowView.as_view(), name="follow"),
    path("me/notifications/", NotificationsView.as_view(), name="notifications"),
    path("me/notifications/count/", NotificationCountView.as_view(), name="notification-count"),
    path("me/token/", UserTokenView.as_view(), name="user-token"),
    path(_REACTIONS, ReactionsView.as_view(), name="reactions"),
    path(f"{_REACTIONS}<str:reaction>/", ReactionView.as_view(), name="reaction"),
    path("<slug:slug>/", FeedView.as_view(), name="feed"),
]
if apps.is_installed("django_stream.notifications"):
    urlpatterns += [
        path("me/notifications/preferences/", PreferencesView.as_view(), name="notification-preferences"),
        # Ids of groups hold whatever their format does.
        path("me/notifications/<path:entry>/", NotificationView.as_view(), name="notification"),
    ]
