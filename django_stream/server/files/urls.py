"""The addresses of files: `.../<key>/<name>?v=1`, where the key is a secret of its own."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.files.storage import Storage, storages
from django.urls import NoReverseMatch, reverse

from django_stream.server.conf import server_settings
from django_stream.server.models import StoredFile
from django_stream.server.requests import Call

# The clients expect a query behind the file's name, as signed addresses have one.
_QUERY = "?v=1"


def storage() -> Storage:
    """Where uploads are kept."""
    return storages[server_settings.FILE_STORAGE]


def url_of(file: StoredFile, call: Call) -> str:
    """The public address: this server's, or the storage's own where the settings say so."""
    if not server_settings.FILE_DIRECT_URLS:
        try:
            path = reverse("stream-server-file", args=[file.key, file.base_name])
        except NoReverseMatch:  # embedded without URLs: nobody could read it here
            pass
        else:
            # Inside the process no host is known: the path alone is right on the site's own pages.
            base = str(server_settings.PUBLIC_URL).rstrip("/") or call.request.headers.get("Origin", "")
            return base + path + _QUERY
    address = storage().url(file.name)
    return address if "?" in address else address + _QUERY


def key_of(url: str) -> str:
    """The key in an address that `url_of` gave; empty when there is none."""
    try:
        parts = urlsplit(url).path.split("/")
    except ValueError:
        return ""
    return parts[-2] if len(parts) > 1 else ""
