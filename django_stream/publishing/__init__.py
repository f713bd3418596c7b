"""How changes leave the site: outbox rows in the change's own transaction, drained after commit."""
