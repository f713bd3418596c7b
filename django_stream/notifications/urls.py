"""URLs for links in e-mails: `path("notifications/", include("django_stream.notifications.urls"))`."""

from django.urls import path

from django_stream.notifications.views import UnsubscribeView

app_name = "django_stream_notifications"
urlpatterns = [path("unsubscribe/<str:token>/", UnsubscribeView.as_view(), name="unsubscribe")]
