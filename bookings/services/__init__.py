"""Every write about a candidate and a place: one function per use case."""

from bookings.services.confirming import confirm, lock_for_charge
from bookings.services.contacting import change_contact, tell_new_link
from bookings.services.delivering import record_outcome
from bookings.services.ending import (
    cancel,
    end_with_referral,
    end_with_session,
    follow_session,
    lock_for_referral,
    refund_on_cancel,
)
from bookings.services.feeding_back import give_feedback
from bookings.services.holding import (
    extend_hold,
    give_consents,
    give_details,
    hold,
    texts_needed,
)
from bookings.services.lapsing import lapse, lapse_move, payment_open_until, release_holds
from bookings.services.late import choose as choose_late_date
from bookings.services.late import decline as decline_late_dates
from bookings.services.late import settle as settle_late_payments
from bookings.services.locking import lock_booking
from bookings.services.moving import (
    abandon_move,
    check_can_move,
    confirm_move,
    extend_move,
    held_move,
    hold_move,
    move_by_staff,
    pay_move,
    quote_move,
    texts_for_move,
    texts_to_join,
)
from bookings.services.needing import arrange_need, take_need, tell_needs
from bookings.services.offering import offer_places
from bookings.services.paying import start_payment
from bookings.services.policies import change_policy
from bookings.services.reconciling import days_due, reconcile_due_payments, reconcile_payments
from bookings.services.refunding import policy_refund_pence
from bookings.services.reminding import schedule_reminders
from bookings.services.signing_in import forget_old_tries, sign_in
from bookings.services.swapping import complete_move, end_move, move_to_place
from bookings.services.telephoning import send_pay_link, take_by_telephone
from bookings.services.waiting import Wishes, check_may_wait, free_now
from bookings.services.waiting import accept as accept_offer
from bookings.services.waiting import decline as decline_offer
from bookings.services.waiting import join as join_waiting_list
from bookings.services.waiting import leave as leave_waiting_list

__all__ = [
    "Wishes",
    "abandon_move",
    "accept_offer",
    "arrange_need",
    "cancel",
    "change_contact",
    "change_policy",
    "check_can_move",
    "check_may_wait",
    "choose_late_date",
    "complete_move",
    "confirm",
    "confirm_move",
    "days_due",
    "decline_late_dates",
    "decline_offer",
    "end_move",
    "end_with_referral",
    "end_with_session",
    "extend_hold",
    "extend_move",
    "follow_session",
    "forget_old_tries",
    "free_now",
    "give_consents",
    "give_details",
    "give_feedback",
    "held_move",
    "hold",
    "hold_move",
    "join_waiting_list",
    "lapse",
    "lapse_move",
    "leave_waiting_list",
    "lock_booking",
    "lock_for_charge",
    "lock_for_referral",
    "move_by_staff",
    "move_to_place",
    "offer_places",
    "pay_move",
    "payment_open_until",
    "policy_refund_pence",
    "quote_move",
    "reconcile_due_payments",
    "reconcile_payments",
    "record_outcome",
    "refund_on_cancel",
    "release_holds",
    "schedule_reminders",
    "send_pay_link",
    "settle_late_payments",
    "sign_in",
    "start_payment",
    "take_by_telephone",
    "take_need",
    "tell_needs",
    "tell_new_link",
    "texts_for_move",
    "texts_needed",
    "texts_to_join",
]
