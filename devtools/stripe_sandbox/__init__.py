"""A stand-in for Stripe: a separate process that answers as Stripe documents, for development and tests.

It imports nothing of the project and keeps everything in one SQLite file, so that killing it loses nothing.
Start it with ``python -m devtools.stripe_sandbox``; drive it from tests with ``devtools.stripe_sandbox.testing``.
"""
