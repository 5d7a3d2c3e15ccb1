"""Shapes of what staff enter about money, in Django admin."""

from typing import Any

from django import forms

from common.money import pounds_and_pence
from courses.constants import Mode
from courses.forms import DateInput
from courses.models import CourseType
from payments import rules
from payments.constants import PURPOSE_CHARACTERS, CostKind, ExportKind, RefundReason, VatCode
from payments.models import Charge
from referrals.models import Force

# Those a person chooses; the others are the system's own.
STAFF_REASONS = (
    RefundReason.CANCELLED_IN_TIME,
    RefundReason.KCC_CANCELLED,
    RefundReason.WITHDRAWN,
    RefundReason.GOODWILL,
)


class PoundsField(forms.DecimalField):
    """An amount typed in pounds, cleaned to integer pence."""

    def __init__(self, **options: Any) -> None:
        given = {"max_digits": 7, "min_value": 0} | options
        super().__init__(decimal_places=2, **given)

    def clean(self, value: Any) -> Any:
        """Pence."""
        amount = super().clean(value)
        return None if amount is None else int(amount * 100)


class RefundForm(forms.Form):
    """How much goes back, and why."""

    amount = PoundsField(label="Amount in pounds")
    reason = forms.ChoiceField(choices=[(reason.value, reason.label) for reason in STAFF_REASONS])
    note = forms.CharField(
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Why, in words; the category of the evidence, never the evidence",
    )

    def __init__(self, *args: Any, charge: Charge, **options: Any) -> None:
        super().__init__(*args, **options)
        left = charge.paid_pence - charge.refunded_pence
        self.fields["amount"].initial = f"{left / 100:.2f}"
        self.fields["amount"].help_text = f"At most {pounds_and_pence(left)}"


class NoteForm(forms.Form):
    """Why."""

    note = forms.CharField(
        label="Reason",
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="It is kept with the refund; no evidence itself",
    )


class MonthField(forms.DateField):
    """A month typed as "2027-04", cleaned to its first day."""

    def __init__(self, **options: Any) -> None:
        super().__init__(input_formats=["%Y-%m"], help_text="such as 2027-04", **options)


class MonthForm(forms.Form):
    """Which month."""

    month = MonthField()


class PaidForm(forms.Form):
    """When and under which reference the bank paid."""

    paid_on = forms.DateField(label="Paid on", widget=DateInput)
    reference = forms.CharField(max_length=60, help_text="the bank's or the finance system's")


class CostForm(forms.Form):
    """What a month cost."""

    month = MonthField()
    kind = forms.ChoiceField(choices=CostKind.choices)
    amount = PoundsField(label="Amount in pounds", min_value=None, max_digits=9, help_text="below nought to correct")
    note = forms.CharField(max_length=200, help_text="what for, and the invoice's number; no names")

    def clean_amount(self) -> int:
        """Not nothing."""
        pence = int(self.cleaned_data["amount"])
        if pence == 0:
            raise forms.ValidationError("Enter an amount.")
        return pence


class ExportForm(forms.Form):
    """Which records, of which days, and what for."""

    kind = forms.ChoiceField(label="What", choices=ExportKind.choices)
    first_on = forms.DateField(label="First day", widget=DateInput, help_text="counted in")
    last_on = forms.DateField(label="Last day", widget=DateInput, help_text="counted in; not in the future")
    purpose = forms.CharField(
        min_length=PURPOSE_CHARACTERS, max_length=200, help_text="What the file is for, in words; no names"
    )


class ReasonForm(forms.Form):
    """What is done about it, and why."""

    reason = forms.CharField(label="In words", max_length=200, help_text="It is kept with the record")


class LimitForm(forms.Form):
    """Above how much a refund needs a second person."""

    over = PoundsField(label="Above, in pounds")
    valid_from = forms.DateField(widget=DateInput, help_text="first day it applies to; after today")
    reason = forms.CharField(max_length=200, help_text="Who decided it")


class FeeForm(forms.Form):
    """A new fee in its parts."""

    course_type = forms.ModelChoiceField(CourseType.objects.filter(is_delivered=True))
    mode = forms.ChoiceField(choices=Mode.choices)
    force = forms.ModelChoiceField(
        Force.objects.filter(is_active=True),
        required=False,
        empty_label="All forces without a fee of their own",
        help_text="whose offers it is for",
    )
    valid_from = forms.DateField(widget=DateInput, help_text="first day of booking it applies to; after today")
    valid_to = forms.DateField(
        required=False, widget=DateInput, help_text="only for a force's own fee; empty while it runs on"
    )
    police = PoundsField(label="Police cost recovery in pounds")
    levy = PoundsField(label="UKROEd levy in pounds")
    vat_code = forms.ChoiceField(label="VAT", choices=VatCode.choices)
    vat = PoundsField(label="VAT in pounds", initial="0.00", help_text="above nought only at the standard rate")
    provider = PoundsField(label="KCC's part in pounds")
    reason = forms.CharField(max_length=200, help_text="Who set it, and where it was published")

    def clean(self) -> dict[str, Any]:
        """Only the standard rate has VAT to pay."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("vat") and given.get("vat_code") != VatCode.STANDARD:
            self.add_error("vat", "Only the standard rate has VAT to pay.")
        return given

    def parts(self) -> rules.Parts:
        """The parts of a valid form."""
        given = self.cleaned_data
        return rules.Parts(police=given["police"], levy=given["levy"], vat=given["vat"], provider=given["provider"])
