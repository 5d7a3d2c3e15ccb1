"""What a candidate needs, and which sessions suit them."""

from collections.abc import Collection

from bookings import rules
from bookings.constants import NeedKind
from bookings.models import Need
from common.prepared import Prepared
from courses.constants import Mode
from courses.models import Session

_NEEDS = Prepared(lambda blank: Need.objects.standing().filter(referral_id=blank("referral_id")).order_by("pk"))


def needs_of(referral_id: int) -> list[Need]:
    """What a candidate needs, in the order they told it."""
    return _NEEDS.all(referral_id=referral_id)


def is_fit(session: Session, needs: Collection[str]) -> bool:
    """Whether somebody with these needs can take part in a session, which comes with its room."""
    return suits(session.mode, session.room is not None and session.room.venue.is_step_free, needs)


def suits(mode: str, is_step_free: bool | None, needs: Collection[str]) -> bool:
    """Whether what is given in this way, in such a building, suits somebody with these needs."""
    return rules.fits_needs(
        is_digital=mode == Mode.DIGITAL,
        is_step_free=bool(is_step_free),
        is_offline=NeedKind.NO_INTERNET in needs,
        needs_step_free=NeedKind.STEP_FREE in needs,
    )
