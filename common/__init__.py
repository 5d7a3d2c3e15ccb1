"""Words everybody uses; no rows of its own."""
