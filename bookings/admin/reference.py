"""What booking goes by: the texts candidates agree to, and the policies."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from audit.admin import HistoryAdmin
from bookings import selectors, services
from bookings.models import ConsentText, Policy
from common import clock
from common.money import pounds_and_pence
from courses.admin.acts import NoDelete, acting_staff
from courses.forms import DateInput
from payments.admin.common import money
from payments.admin.previews import Table, previewed_page

_UNITS = ("minutes", "hours", "days", "pence", "percent")


@admin.register(ConsentText)
class ConsentTextAdmin(NoDelete, HistoryAdmin):
    """A text that somebody may have agreed to is never edited: a new version is added."""

    list_display = ("kind", "version", "valid_from", "statement")
    list_filter = ("kind",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False


@admin.register(Policy)
class PolicyAdmin(NoDelete, HistoryAdmin):
    """The rules of booking with their dates: only followed by others, and bookings keep those they were made by."""

    list_display = ("valid_from", "valid_to", "cancel_days", "cancel_notice_days", "move_free_days", "move_fee")
    move_fee = money("move_fee_pence", "Move fee")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Other rules from a day on, with what they would change in sight."""
        by, now = acting_staff(request, "bookings.add_policy"), clock.now()
        last = Policy.objects.order_by("-valid_from")[:1].get()

        def act(given: dict[str, Any]) -> str:
            services.change_policy(
                valid_from=given["valid_from"],
                values={name: given[name] for name in Policy.rule_names()},
                reason=given["reason"],
                by=by,
                now=now,
            )
            return "The rules are set."

        return previewed_page(
            self,
            request,
            form=PolicyForm(request.POST if request.method == "POST" else None, initial=last.rules),
            title="Set the rules of booking from a day on",
            preview=lambda given: _preview(last, given),
            act=act,
            back=reverse("admin:bookings_policy_changelist"),
            button="Set the rules",
        )


class PolicyForm(forms.Form):
    """Every rule of booking, from which day, and why."""

    valid_from = forms.DateField(widget=DateInput, help_text="first day of booking they apply to; after today")
    reason = forms.CharField(max_length=200, help_text="Who decided it")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields.update(forms.fields_for_model(Policy, fields=Policy.rule_names()))
        for name in Policy.rule_names():
            self.fields[name].label = rule_words(name)


def rule_words(name: str, *, with_unit: bool = True) -> str:
    """A rule's name as staff read it: "Move fee, in pence", "KCC cancelled refund, in percent"."""
    what, _, unit = name.rpartition("_")
    if unit not in _UNITS:
        return name.replace("_", " ").capitalize()
    words = what.replace("_", " ").capitalize().replace("Kcc", "KCC")
    return f"{words}, in {unit}" if with_unit else words


def _value_words(name: str, value: int) -> str:
    """A rule's value with its unit: "£25.00", "7 days"."""
    unit = name.rpartition("_")[2]
    if unit == "pence":
        return pounds_and_pence(value)
    if unit not in _UNITS:
        return str(value)
    return f"{value} {unit[:-1] if value == 1 and unit != 'percent' else unit}"


def _preview(last: Policy, given: dict[str, Any]) -> list[Table]:
    """The rules that change, and how many holds and bookings keep those they were made by."""
    before = last.rules
    changed = [
        (rule_words(name, with_unit=False), _value_words(name, before[name]), _value_words(name, given[name]))
        for name in Policy.rule_names()
        if given[name] != before[name]
    ]
    made = [
        (clock.date_words(line.valid_from), str(line.held), str(line.confirmed)) for line in selectors.made_under()
    ]
    first = clock.date_words(given["valid_from"])
    return [
        Table(f"What changes for bookings made from {first}", ("Rule", "Is", "Will be"), changed, "Nothing changes."),
        Table("Open holds and bookings keep their rules", ("Rules from", "Open holds", "Confirmed"), made),
    ]
