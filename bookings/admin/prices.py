"""Money pages that need to know of bookings: what a new fee would mean for them, and what the policy gives back."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.urls import reverse

from bookings import selectors, services
from bookings.constants import BookingStatus
from bookings.models import Booking
from common.clock import date_words
from common.money import pounds_and_pence
from payments.admin.charges import ChargeAdmin
from payments.admin.fees import FeeScheduleAdmin
from payments.admin.previews import Table
from payments.forms import FeeForm
from payments.models import Charge, FeeSchedule


@admin.register(Charge)
class BookingChargeAdmin(ChargeAdmin):
    """Charges, with what the policy gives back of their booking."""

    def booking_address(self, charge: Charge) -> str:
        """The page of its booking, if there is one of that reference."""
        booking = Booking.objects.filter(reference=charge.booking_reference).first()
        return reverse("admin:bookings_booking_change", args=[booking.pk]) if booking else ""

    def policy_pence(self, charge: Charge) -> int:
        """As the policy says that the booking was made under."""
        return services.policy_refund_pence(charge)


@admin.register(FeeSchedule)
class BookingFeeScheduleAdmin(FeeScheduleAdmin):
    """Fees, with what a change would mean for holds, bookings and offers."""

    def preview(self, form: FeeForm, given: dict[str, Any]) -> Sequence[Table]:
        """The change, and the open bookings it does not touch."""
        seen = selectors.fee_change(
            course_type_id=given["course_type"].pk,
            mode=given["mode"],
            force_code=given["force"].pk if given["force"] else "",
            on=given["valid_from"],
        )
        new = form.parts().total
        rows = [
            (
                str(BookingStatus(line.status).label),
                str(line.bookings),
                pounds_and_pence(line.fee_pence),
                pounds_and_pence(line.bookings * line.fee_pence),
                pounds_and_pence(line.bookings * (new - line.fee_pence)),
            )
            for line in seen.sold
        ]
        columns = ("Booking", "How many", "Fee, which stays", "Together", "Would differ by, had they been sold anew")
        first = date_words(given["valid_from"])
        return [
            *super().preview(form, given),
            Table("Open holds and bookings: nothing sold changes", columns, rows, "None."),
            Table(
                "Offers not booked yet",
                ("Offers that can still be booked on the first day", "They would be asked"),
                [(str(seen.offers), f"{pounds_and_pence(new)} from {first}")],
            ),
        ]
