"""What a person may be told went wrong. Every expected failure of a service is a subclass of `PortalError`."""


class PortalError(Exception):
    """An expected refusal. `message` is fit for the person who meets it; `status` is its HTTP status at every door."""

    status = 409
    message = "This cannot be done now."

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.message)
        self.message = message or self.message


class NotFoundError(PortalError):
    """The thing asked for does not exist, or not for this person: the two look alike on purpose."""

    status = 404
    message = "We could not find that."


class TransitionError(PortalError):
    """A state cannot follow the present one."""

    message = "This is no longer possible: something has changed in the meantime."
