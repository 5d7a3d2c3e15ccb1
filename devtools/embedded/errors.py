"""What can go wrong with an embedded service."""


class EmbeddedServiceError(RuntimeError):
    """The service cannot run here; the message is one line that says what to do."""
