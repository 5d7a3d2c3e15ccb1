"""Promises kept: processing times and their breaches."""
