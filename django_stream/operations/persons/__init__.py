"""Everything of one person: exported, or erased."""
