"""Django's door to the models of the rooms."""

from django_stream.publishing.models import OutboxEntry, Publication

__all__ = ["OutboxEntry", "Publication"]
