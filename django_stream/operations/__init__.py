"""Work on whole tables and whole feeds, callable from Python: commands and admin actions are its doors."""
