"""How each kind of row is brought to the feeds: activities, follows, mirrors and reactions."""
