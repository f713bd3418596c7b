"""Activity feeds for Django: models become activities, followers see them."""

__version__ = "0.1.0"
