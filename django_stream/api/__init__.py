"""DRF views and serializers for the site's own front end."""
