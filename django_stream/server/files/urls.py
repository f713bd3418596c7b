"""The addresses of files: `.../<key>/<name>?v=1`, where the key is a secret of its own."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.files.storage import Storage, storages
from django.urls import NoReverseMatch, reverse

from django_stream.server.conf import server_settings
from django_stream.server.models import StoredFile

# The clients expect a query behind the file's name, as signed addresses have one.
_QUERY = "?v=1"


def storage() -> Storage:
    """Where uploads are kept."""
    return storages[server_settings.FILE_STORAGE]


def url_of(file: StoredFile, origin: str) -> str:
    """The public address of a file: this server's, or the storage's own where the settings say so.

    `origin` is the scheme and host that the request came to; empty inside the process, where the path alone
    is right on the site's own pages.
    """
    if not server_settings.FILE_DIRECT_URLS:
        try:
            path = reverse("stream-server-file", args=[file.key, file.base_name])
        except NoReverseMatch:  # embedded without URLs: this server cannot show it
            pass
        else:
            return (str(server_settings.PUBLIC_URL).rstrip("/") or origin) + path + _QUERY
    address = storage().url(file.name)
    return address if "?" in address else address + _QUERY


def key_of(url: str) -> str:
    """The key in an address that `url_of` gave; empty when there is none."""
    try:
        parts = urlsplit(url).path.split("/")
    except ValueError:
        return ""
    return parts[-2] if len(parts) > 1 else ""
