"""What courses cost, from which day on. The admin of bookings registers it, with the bookings this app cannot know."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from audit.admin import HistoryAdmin
from common import clock
from common.labels import mid_sentence
from common.money import pounds_and_pence
from courses.admin.acts import acting_staff
from payments import selectors, services
from payments.admin.common import money
from payments.admin.previews import Table, previewed_page
from payments.constants import VatCode
from payments.errors import NoFeeError
from payments.forms import FeeForm
from payments.models import FeeSchedule


class FeeScheduleAdmin(HistoryAdmin):
    """Read here; changed only by a new fee from a day on."""

    list_display = (
        "course_type", "mode", "whose", "valid_from", "valid_to", "total", "police", "levy", "vat_code", "vat",
        "provider",
    )  # fmt: skip
    list_filter = ("course_type", "mode", "force")
    list_select_related = ("course_type", "force")
    total = money("total_pence", "Total")
    police = money("police_pence", "Police")
    levy = money("levy_pence", "Levy")
    vat = money("vat_pence", "VAT")
    provider = money("provider_pence", "KCC")

    @admin.display(description="Force", ordering="force")
    def whose(self, fee: FeeSchedule) -> str:
        """For which force's offers."""
        return str(fee.force) if fee.force else "all"

    def has_change_permission(self, request: HttpRequest, obj: FeeSchedule | None = None) -> bool:
        """No: a fee is what courses were sold under."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: FeeSchedule | None = None) -> bool:
        """No."""
        return False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A new fee from a day on, with what it would do in sight; the running one ends the day before."""
        by, now = acting_staff(request, "payments.add_feeschedule"), clock.now()
        form = FeeForm(request.POST if request.method == "POST" else None)

        def act(given: dict[str, Any]) -> str:
            services.change_fee(
                course_type_id=given["course_type"].pk,
                mode=given["mode"],
                force_code=_code(given),
                valid_from=given["valid_from"],
                valid_to=given["valid_to"],
                parts=form.parts(),
                vat_code=given["vat_code"],
                reason=given["reason"],
                by=by,
                now=now,
            )
            return "The fee is set."

        return previewed_page(
            self,
            request,
            form=form,
            title="Set a fee from a day on",
            preview=lambda given: self.preview(form, given),
            act=act,
            back=reverse("admin:payments_feeschedule_changelist"),
            button="Set the fee",
        )

    def preview(self, form: FeeForm, given: dict[str, Any]) -> Sequence[Table]:
        """The parts as they are and as they would be on the first day, and the forces that keep a fee of their own."""
        course_type, mode, force_code = given["course_type"], given["mode"], _code(given)
        new = form.parts()
        try:
            old = selectors.fee_on(
                course_type_id=course_type.pk, mode=mode, force_code=force_code, on=given["valid_from"]
            )
        except NoFeeError:
            old = FeeSchedule(total_pence=0, police_pence=0, levy_pence=0, vat_pence=0, provider_pence=0)
        pence = (
            ("Police cost recovery", old.police_pence, new.police),
            ("UKROEd levy", old.levy_pence, new.levy),
            (f"VAT ({mid_sentence(VatCode(given['vat_code']).label)})", old.vat_pence, new.vat),
            ("KCC", old.provider_pence, new.provider),
            ("Candidate pays", old.total_pence, new.total),
        )
        columns = ("Part", "Without the change", "With it", "Difference")
        rows = [
            (name, pounds_and_pence(was), pounds_and_pence(will_be), pounds_and_pence(will_be - was))
            for name, was, will_be in pence
        ]
        caption = f"{course_type.code} {mode.lower()} on {clock.date_words(given['valid_from'])}"
        tables = [Table(caption, columns, rows)]
        if not force_code:
            own = selectors.forces_with_own_fee(course_type_id=course_type.pk, mode=mode, on=given["valid_from"])
            forces = [(str(fee.force), pounds_and_pence(fee.total_pence)) for fee in own]
            tables.append(Table("Forces with a fee of their own, which stays", ("Force", "Fee"), forces, "None."))
        return tables


def _code(given: dict[str, Any]) -> str:
    return given["force"].pk if given["force"] else ""
