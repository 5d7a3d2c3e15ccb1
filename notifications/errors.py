"""How sending can fail. The difference decides whether it is tried again."""


class TryAgainError(Exception):
    """The channel is down or asks us to come back: the message keeps its turn."""


class UndeliverableError(Exception):
    """The channel will never take this message, such as an address that does not exist: a person must look."""
