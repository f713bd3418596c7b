"""The test project with the site's own API, what buttons post to, and the links of e-mails."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("feeds/", include("django_stream.api.urls")),
    path("stream/", include("django_stream.urls")),
    path("notifications/", include("django_stream.notifications.urls")),
    path("admin/", admin.site.urls),
]
