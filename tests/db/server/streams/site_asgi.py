"""The site's server, with the one line for streams and, as `django`, without it."""

from django.core.asgi import get_asgi_application

from django_stream.server.asgi import with_streams

django = get_asgi_application()
application = with_streams(django)
