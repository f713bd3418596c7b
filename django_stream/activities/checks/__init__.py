"""System checks of what models declare."""
