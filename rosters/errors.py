"""What the register refuses, in words for the trainer who meets it."""

from common.errors import PortalError


class NotYetError(PortalError):
    """Names are shown from 48 hours before until 48 hours after."""

    status = 403
    message = "The roster can be seen from 48 hours before the course until 48 hours after it."


class NotStartedError(PortalError):
    """Nobody can have attended what has not begun."""

    message = "The register opens 15 minutes before the course starts."


class RegisterClosedError(PortalError):
    """A closed register is mended by KCC staff, not written over."""

    message = "This register is closed. Ring KCC to have a mark put right."


class UnmarkedError(PortalError):
    """Every client needs a mark before the register closes."""

    message = "Mark every client before you close the register."


class MarkConflictError(PortalError):
    """Somebody marked the client since the page was opened: the first mark stands until it is looked at."""

    message = "Somebody else marked this client after you opened the page. Look at their mark before you change it."


class DocumentNeededError(PortalError):
    """A completed course needs the kind of identity document that was checked."""

    message = "Choose the identity document you checked."
