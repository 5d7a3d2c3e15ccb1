"""Every write about a candidate and a place: one function per use case."""

from bookings.services.confirming import confirm, lock_for_charge
from bookings.services.delivering import arrange_need, record_outcome
from bookings.services.ending import (
    cancel,
    end_with_referral,
    end_with_session,
    follow_session,
    lock_for_referral,
    refund_on_cancel,
)
from bookings.services.holding import (
    extend_hold,
    give_consents,
    give_details,
    hold,
    lapse,
    payment_open_until,
    release_holds,
    texts_needed,
)
from bookings.services.paying import start_payment
from bookings.services.reminding import schedule_reminders
from bookings.services.signing_in import forget_old_tries, sign_in

__all__ = [
    "arrange_need",
    "cancel",
    "confirm",
    "end_with_referral",
    "end_with_session",
    "extend_hold",
    "follow_session",
    "forget_old_tries",
    "give_consents",
    "give_details",
    "hold",
    "lapse",
    "lock_for_charge",
    "lock_for_referral",
    "payment_open_until",
    "record_outcome",
    "refund_on_cancel",
    "release_holds",
    "schedule_reminders",
    "sign_in",
    "start_payment",
    "texts_needed",
]
