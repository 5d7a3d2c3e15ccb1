"""What candidates need: told by them, arranged by staff, each with an owner and a day."""

import datetime as dt
from collections.abc import Mapping

from django.db import transaction
from django.db.models import Count, Q

from accounts.models import User
from audit import services as audit
from audit.context import Actor
from bookings import rules
from bookings.constants import NEEDS_TO_DO, NeedStatus
from bookings.errors import OfferEndedError
from bookings.models import Booking, Need, Policy
from bookings.services.locking import lock_referral
from common.clock import london_day
from referrals.constants import BOOKABLE, ReferralStatus
from referrals.models import Referral

MAY_ARRANGE = "bookings.change_need"


@transaction.atomic(durable=True)
def tell_needs(*, referral_id: int, told: Mapping[str, str], by: Actor, now: dt.datetime) -> list[Need]:
    """Record everything that a candidate needs, by `NeedKind` with what they say about it; what is left out is over.

    What is new becomes a task of the member of staff who has fewest of them. What was arranged and is no longer needed
    becomes a task too: it has to be undone. Locks the referral. Repeated, it does nothing. Returns what they need now.
    Raises OfferEndedError once nothing can be arranged any more.
    """
    referral = lock_referral(referral_id)
    if referral.status not in (*BOOKABLE, ReferralStatus.BOOKED):
        raise OfferEndedError
    known = {need.kind: need for need in Need.objects.select_for_update().filter(referral=referral)}
    due_on = _due_on(referral, now)
    changed = [_tell(referral, known.get(kind), kind, detail, due_on, now) for kind, detail in told.items()]
    changed += [_take_back(need, due_on) for kind, need in known.items() if kind not in told]
    if any(changed):
        # What the need is stays out of the record, which outlives it.
        audit.record(
            "needs.told",
            by=by,
            now=now,
            words="The candidate said what they need to take part."
            if told
            else "The candidate needs nothing special.",
            referral_key=referral.key,
            subject=f"referral:{referral.key}",
        )
    return list(Need.objects.standing().filter(referral=referral).order_by("pk"))


@transaction.atomic(durable=True)
def arrange_need(*, need_id: int, by: Actor, now: dt.datetime) -> bool:
    """Record that staff have done what a need asks of them; returns whether there was anything to do.

    One that is no longer needed and has been undone is forgotten.
    """
    need = _locked(need_id)
    if need is None or need.status not in NEEDS_TO_DO:
        return False
    if need.status == NeedStatus.UNDO:
        action, words = "need.undone", "Something the candidate no longer needs was undone."
        pk, _ = need.pk, need.delete()
    else:
        action, words, pk = "need.arranged", "Something the candidate needs was arranged.", need.pk
        need.status, need.arranged_at, need.arranged_by = NeedStatus.ARRANGED, now, str(by)
        need.save(update_fields=["status", "arranged_at", "arranged_by"])
    audit.record(action, by=by, now=now, words=words, referral_key=need.referral.key, subject=f"need:{pk}")
    return True


@transaction.atomic(durable=True)
def take_need(*, need_id: int, owner: User, by: Actor, now: dt.datetime) -> bool:
    """Give a task to a member of staff; returns whether it was somebody else's."""
    need = _locked(need_id)
    if need is None or need.owner_id == owner.pk:
        return False
    need.owner = owner
    need.save(update_fields=["owner"])
    audit.record(
        "need.taken",
        by=by,
        now=now,
        words="Something the candidate needs has another owner.",
        referral_key=need.referral.key,
        subject=f"need:{need.pk}",
        data={"owner": owner.pk},
    )
    return True


@transaction.atomic
def bring_needs_forward(booking: Booking, *, now: dt.datetime) -> int:
    """See that what is still to be done is due before the course that was just booked. Composed."""
    latest = rules.last_working_day_before(london_day(booking.place.session.starts_at), not_before=london_day(now))
    return Need.objects.to_do().filter(referral=booking.referral_id, due_on__gt=latest).update(due_on=latest)


def _tell(referral: Referral, need: Need | None, kind: str, detail: str, due_on: dt.date, now: dt.datetime) -> bool:
    if need is None:
        Need.objects.create(
            referral=referral, kind=kind, detail=detail, told_at=now, due_on=due_on, owner=_least_busy()
        )
        return True
    if need.status != NeedStatus.UNDO and need.detail == detail:
        return False
    need.detail, need.told_at, need.due_on = detail, now, due_on
    need.status, need.arranged_at, need.arranged_by = NeedStatus.OPEN, None, ""
    need.save()
    return True


def _take_back(need: Need, due_on: dt.date) -> bool:
    if need.status == NeedStatus.OPEN:
        need.delete()
    elif need.status == NeedStatus.ARRANGED:
        need.status, need.due_on = NeedStatus.UNDO, due_on
        need.save(update_fields=["status", "due_on"])
    else:
        return False
    return True


def _due_on(referral: Referral, now: dt.datetime) -> dt.date:
    today = london_day(now)
    live = Booking.objects.live().filter(referral=referral).values_list("place__session__starts_at", flat=True).first()
    return rules.need_due_on(
        told_on=today, days=Policy.objects.on(today).need_days, course_on=london_day(live) if live else None
    )


def _least_busy() -> User | None:
    """Who may arrange needs and has fewest to see to; nobody where no member of staff may."""
    to_do = Count("needs", filter=Q(needs__status__in=NEEDS_TO_DO))
    staff = User.objects.with_perm(
        MAY_ARRANGE, include_superusers=False, backend="django.contrib.auth.backends.ModelBackend"
    )
    found: User | None = staff.filter(is_staff=True).annotate(to_do=to_do).order_by("to_do", "pk").first()
    return found


def _locked(need_id: int) -> Need | None:
    return Need.objects.select_for_update(of=("self",)).select_related("referral").filter(pk=need_id).first()
