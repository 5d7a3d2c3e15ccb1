"""Police decide once more which course an offer is of."""

from datetime import datetime

from django.db import transaction

from audit import services as audit
from audit.context import Actor
from courses.models import CourseType, Place
from referrals import selectors
from referrals.constants import BOOKABLE
from referrals.errors import CourseRefusedError, ReasonMissingError, ReferralMoveError
from referrals.models import Referral
from referrals.services.lifecycle import id_of, lock
from referrals.signals import referral_locking


def decide_course(
    *,
    force_code: str,
    reference: str,
    course_code: str,
    reason: str,
    by: Actor,
    now: datetime,
    is_despite_bar: bool = False,
) -> Referral:
    """Make an offer one of another course, as police decided, while nothing is booked and no place is held.

    The same course again changes nothing. `is_despite_bar`: the three-year rule speaks against it, and who decides
    knows. Locks the session, then the referral. Raises ReferralNotFoundError, ReferralMoveError, CourseRefusedError,
    ReasonMissingError.
    """
    if not reason.strip():
        raise ReasonMissingError
    with transaction.atomic(durable=True):
        referral_id = id_of(force_code=force_code, reference=reference)
        referral_locking.send(sender=Referral, referral_id=referral_id)
        referral = lock(referral_id)
        if referral.status not in BOOKABLE:
            raise ReferralMoveError(referral.get_status_display())
        old = referral.course_type
        course = CourseType.objects.filter(code=course_code, is_delivered=True).first()
        if course is None:
            raise CourseRefusedError("We do not deliver this course.")
        if course == old:
            return referral
        if Place.objects.held_for([referral.key]).exists():
            raise CourseRefusedError("The candidate is choosing a date just now. Try again in half an hour.")
        barred = selectors.bar_of(referral, course=course, now=now)
        if barred and not is_despite_bar:
            raise CourseRefusedError(barred.words)
        referral.course_type = course
        referral.save(update_fields=["course_type"])
        audit.record(
            "referral.course_decided",
            by=by,
            now=now,
            words=f"The course is decided again: {course.name} in the place of {old.name}",
            referral_key=referral.key,
            subject=f"referral:{referral.pk}",
            reason=reason.strip(),
            # An import reads what was held before (`standing`).
            data={"course": [old.code, course.code], "despite_three_year_bar": bool(barred)},
        )
        return referral
