"""What can be refused about a booking, in words for the candidate or the member of staff who meets it."""

from common.errors import NotFoundError, PortalError, TransitionError
from courses.errors import NoPlaceLeftError


class PolicyInThePastError(PortalError):
    """The rules may only be changed from a day that has not begun, after those that are planned last."""

    message = "New rules must begin on a later day than today, and than those that are planned last."


class BookingNotFoundError(NotFoundError):
    """There is no such booking, or it is somebody else's: the two look alike on purpose."""

    message = "We could not find that booking."


class OfferEndedError(PortalError):
    """The offer was withdrawn, has expired, or is used up."""

    message = "You can no longer book with this offer."


class BookByPassedError(PortalError):
    """The last day to book on has passed."""

    message = "The last day to book a course with this offer has passed."


class AfterCompleteByError(PortalError):
    """The session ends after the last day on which the course may be completed."""

    message = "This course ends after the last day you have to complete one."


class AlreadyBookedError(PortalError):
    """The referral has a confirmed booking."""

    message = "You already have a booked course."


class HoldEndedError(PortalError):
    """The hold ran out, or the booking is no longer one that is being made."""

    message = "We could only hold your place for a limited time, and that time has ended."


class NoMoreTimeError(PortalError):
    """The hold cannot be extended again."""

    message = "We cannot hold this place any longer."


class StartsTooSoonError(PortalError):
    """Stripe keeps a payment page open for half an hour at least, and the course starts before that."""

    message = "This course starts too soon to pay for it now. Choose another date."


class IncompleteError(PortalError):
    """Something is left to be told before payment."""

    message = "Some of your answers are missing."


class NoContactError(PortalError):
    """Neither an e-mail address nor a mobile number."""

    message = "Give an email address or a mobile number, so that we can reach you."


class NoEmailError(NoContactError):
    """A mobile number alone, where no text messages go out."""

    message = "Text messages are switched off, so nothing would reach this number. Ask for an email address."


class FeedbackGivenError(PortalError):
    """There is feedback about this booking already."""

    message = "You have already told us about this course. Thank you."


class ConsentNeededError(PortalError):
    """Not everything that must be agreed to was agreed to."""

    message = "You need to agree to everything on this page to book."


class TooLateToCancelError(PortalError):
    """The course has started."""

    message = "The course has started, so it can no longer be cancelled here."


class RefundChangedError(PortalError):
    """What comes back is not what the page said; nor may the date be the one it showed."""

    message = "What you get back has changed"


class DateChangedError(RefundChangedError):
    """What comes back is as the page said, but the date is not the one it showed."""

    message = "The date of your course has changed"


class TooLateToMoveError(PortalError):
    """The course has started."""

    message = "The course has started, so its date can no longer be changed here."


class SameSessionError(PortalError):
    """The chosen session is the one they are booked on."""

    message = "You are already booked on this date."


class MoveEndedError(PortalError):
    """The hold of the new place ran out, or the page is of a move that is no longer under way."""

    message = "We are no longer holding the new date for you. Your booked date is still yours."


class MoveUnpaidError(PortalError):
    """The fee of the move must be paid first."""

    message = "There is a fee for this change. Pay it to change your date."


class MoveNotFoundError(NotFoundError):
    """There is no such move."""

    message = "We could not find that change of date."


class MoveStateError(TransitionError):
    """The move cannot go from its present status to that one."""

    message = "This change of date is no longer in a state that allows this."


class CandidatesStrandedError(PortalError):
    """A session cannot be moved past the complete by of people who are on it."""

    message = "People on this session would be past their complete by date. Cancel it, or choose an earlier date."


class BookingStateError(TransitionError):
    """The booking cannot go from its present status to that one."""

    message = "This booking is no longer in a state that allows this."


class WrongDetailsError(PortalError):
    """Sign-in: the same for an unknown reference, a withdrawn offer and a wrong PIN or driver number."""

    status = 403
    message = "These details do not match an offer we can show you. Check them against your letter and try again."


class TooManyTriesError(PortalError):
    """Sign-in: too many tries for this reference or from this address in a quarter-hour."""

    status = 429
    message = "There have been too many tries to sign in. Wait 15 minutes, then try again."


class PlaceWaitedForError(NoPlaceLeftError):
    """The places that are free are for people on the waiting list."""

    message = "The last place on this course is for somebody who has been waiting for it."


class PlaceOfferOverError(PortalError):
    """The time of an offered place is over, or it was answered already."""

    message = "The place is no longer held for you."


class DatesFreeError(PortalError):
    """Nobody waits for what can be booked at once."""

    message = "There are dates like this that you can book now."
