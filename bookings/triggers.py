"""Database triggers of bookings: what no route may book."""

import pgtrigger

from common.triggers import Unskippable

# DOMAIN: nothing is booked that ends after complete by, on any route; only police move that date. A place bought with
# one offer is of that offer's course, and is held in that offer's name.
fits_offer = Unskippable(
    name="fits_offer",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("place_id", "referral_id", "status"),
    condition=pgtrigger.Q(new__status__in=("HELD", "CONFIRMED")),
    declare=[
        ("its_place", "courses_place%ROWTYPE"),
        ("its_session", "courses_session%ROWTYPE"),
        ("its_offer", "referrals_referral%ROWTYPE"),
    ],
    func="""
        IF TG_OP = 'UPDATE' AND (OLD.place_id, OLD.referral_id) = (NEW.place_id, NEW.referral_id)
           AND OLD.status IN ('HELD', 'CONFIRMED') THEN
            RETURN NEW;
        END IF;
        SELECT * INTO STRICT its_place FROM courses_place WHERE id = NEW.place_id;
        SELECT * INTO STRICT its_session FROM courses_session WHERE id = its_place.session_id;
        SELECT * INTO STRICT its_offer FROM referrals_referral WHERE id = NEW.referral_id;
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
    """,
)
