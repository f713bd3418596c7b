"""How an activity becomes HTML: which template, and what when data is missing."""
