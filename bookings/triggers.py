"""Database triggers of bookings: what no route may book, and where nobody may be moved."""

import pgtrigger

from common.triggers import Unskippable

_ROWS = [
    ("its_place", "courses_place%ROWTYPE"),
    ("its_session", "courses_session%ROWTYPE"),
    ("its_offer", "referrals_referral%ROWTYPE"),
]


def _fits(referral_id: str, first: str = "") -> str:
    """That NEW.place fits the offer with this id: in time, of its course, held in its name."""
    return f"""{first}
        SELECT * INTO STRICT its_place FROM courses_place WHERE id = NEW.place_id;
        SELECT * INTO STRICT its_session FROM courses_session WHERE id = its_place.session_id;
        SELECT * INTO STRICT its_offer FROM referrals_referral WHERE id = {referral_id};
        IF (its_session.ends_at AT TIME ZONE 'Europe/London')::date > its_offer.complete_by THEN
            RAISE EXCEPTION 'session % ends after complete by of referral %', its_session.id, its_offer.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'bookings_ends_by_complete_by';
        END IF;
        IF its_session.course_type_id <> its_offer.course_type_id THEN
            RAISE EXCEPTION 'session % is not of the course offered by referral %', its_session.id, its_offer.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'bookings_of_course_offered';
        END IF;
        IF its_place.holder <> its_offer.force_id || '/' || its_offer.reference OR its_place.state = 'RELEASED' THEN
            RAISE EXCEPTION 'place % is not held for referral %', its_place.id, its_offer.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'bookings_place_is_theirs';
        END IF;
        RETURN NEW;
    """  # noqa: S608 - both are constants of this file


# DOMAIN: nothing is booked that ends after complete by, on any route; only police move that date. A place bought with
# one offer is of that offer's course, and is held in that offer's name.
fits_offer = Unskippable(
    name="fits_offer",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("place_id", "referral_id", "status"),
    condition=pgtrigger.Q(new__status__in=("HELD", "CONFIRMED")),
    declare=_ROWS,
    func=f"""
        IF TG_OP = 'UPDATE' AND (OLD.place_id, OLD.referral_id) = (NEW.place_id, NEW.referral_id)
           AND OLD.status IN ('HELD', 'CONFIRMED') THEN
            RETURN NEW;
        END IF;{_fits("NEW.referral_id")}""",
)

# The same of the place that somebody is to be moved to, from the moment it is held for them.
move_fits_offer = Unskippable(
    name="move_fits_offer",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("place_id", "booking_id"),
    condition=pgtrigger.Q(new__status__in=("HELD", "DONE")),
    declare=[*_ROWS, ("its_referral", "bigint")],
    func=_fits(
        "its_referral", "SELECT referral_id INTO its_referral FROM bookings_booking WHERE id = NEW.booking_id;"
    ),
)

# The same of a place that we offer to somebody.
offered_place_fits = Unskippable(
    name="offered_place_fits",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("place_id", "referral_id"),
    declare=_ROWS,
    func=_fits("NEW.referral_id"),
)
