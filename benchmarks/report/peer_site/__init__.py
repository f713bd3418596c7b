"""The peer's site: the five models of the report, tracked by nothing of ours."""
