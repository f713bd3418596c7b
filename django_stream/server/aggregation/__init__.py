"""How activities are grouped on aggregated and notification feeds."""
