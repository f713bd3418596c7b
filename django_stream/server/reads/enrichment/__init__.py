"""What `enrich/` adds to activities: the objects behind references, and reactions."""
