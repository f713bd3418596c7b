"""All system checks of what models declare."""
