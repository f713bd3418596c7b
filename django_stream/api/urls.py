"""URLs of the site's own API: `path("feeds/", include("django_stream.api.urls"))`."""

from django.urls import path

from django_stream.api.views import FeedView

app_name = "django_stream_api"
urlpatterns = [path("<slug:slug>/", FeedView.as_view(), name="feed")]
