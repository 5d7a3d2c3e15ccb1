"""What we tell people: the outbox, templates and channels."""
