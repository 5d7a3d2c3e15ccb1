"""A candidate and a place."""
