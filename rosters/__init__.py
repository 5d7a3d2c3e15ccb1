"""A course being delivered: rosters, registers, outcomes."""
