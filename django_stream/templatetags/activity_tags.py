"""`{% load activity_tags %}`: the tags by the name that stream-django gives them."""

from django_stream.templatetags.django_stream import register as register
