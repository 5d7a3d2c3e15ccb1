"""What can be refused about courses, sessions and places."""

from common.errors import NotFoundError, PortalError, TransitionError


class NoPlaceLeftError(PortalError):
    """The session is full: somebody else has the last place."""

    message = "The last place on this course has just been taken."


class SessionNotOpenError(PortalError):
    """The session is not, or no longer, open for booking."""

    message = "This course date is no longer open for booking."


class SessionNotFoundError(NotFoundError):
    """There is no such session."""

    message = "We could not find that course date."


class SessionStateError(TransitionError):
    """The session cannot go from its present status to that one."""

    message = "The session is no longer in a state that allows this."


class PlaceGoneError(PortalError):
    """The place was released: it can be neither kept nor taken."""

    message = "This place is no longer held."


class ReasonNeededError(PortalError):
    """A change that people will ask about was sent without its reason."""

    message = "Give a reason: it is kept with the change."


class CapacityError(PortalError):
    """The capacity asked for is not possible."""

    message = "The session cannot have this many places."


class RoomBusyError(PortalError):
    """The room has another session at that time."""

    message = "This room already has a session at that time."


class TrainerBusyError(PortalError):
    """The trainer has another session at that time."""

    message = "This trainer already has a session at that time."


class NotLicensedError(PortalError):
    """The trainer's licence for this course, or registration for the road, is not valid on the day of delivery."""

    message = "This trainer has no valid licence for this course on that day."


class ScheduleError(PortalError):
    """The details of a session do not go together."""

    message = "These details do not go together."
