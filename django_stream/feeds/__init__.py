"""Where activities go and how feeds are read: the manager, pages, enrichment."""
