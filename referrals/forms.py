"""The shape of what officers type and send."""

from typing import Any, cast

from django import forms

from common.forms import DatePartsField, GovukForm, Look
from referrals.constants import BatchKind, RowDecision, WithdrawalReason


class UploadForm(GovukForm, forms.Form):
    """A file and what it holds."""

    kind = forms.ChoiceField(
        label="What does the file hold?",
        choices=BatchKind.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Select what the file holds"},
    )
    file = forms.FileField(
        label="The file",
        help_text="CSV or Excel workbook (.xlsx), at most 50 MB and 200,000 rows",
        error_messages={"required": "Select a file", "empty": "The selected file is empty"},
        max_length=200,
    )

    def clean(self) -> dict[str, Any]:
        """A browser does not keep a chosen file when a page comes back, so it is asked for again at once."""
        cleaned = super().clean() or {}
        if "kind" in self.errors and cleaned.get("file"):
            self.add_error("file", "Select the file again")
        return cleaned

    looks = {
        "kind": Look(
            label_size="m",
            option_hints={
                BatchKind.REFERRALS: "Offers of a course, one row each",
                BatchKind.WITHDRAWALS: "Offers that you take back. They act at once",
                BatchKind.FORECAST: "How many referrals you expect, by month and course",
            },
        ),
        "file": Look(label_size="m"),
    }


class SearchForm(GovukForm, forms.Form):
    """One box for everything that a referral is found by."""

    q = forms.CharField(
        label="Find a referral",
        help_text="Reference, driver number, postcode, vehicle registration, or the start of a surname",
        max_length=120,
        required=False,
    )

    looks = {"q": Look(width=20, label_size="m", autocomplete="off", spellcheck=False)}


_DECISIONS = [(RowDecision.ACCEPTED, "Accept the row"), (RowDecision.REFUSED, "Refuse the row")]


class DecisionForm(GovukForm, forms.Form):
    """What a person decides of a quarantined row, and why. `may_accept`: False where only KCC staff may accept it."""

    decision = forms.ChoiceField(
        label="What do you decide?",
        choices=_DECISIONS,
        widget=forms.RadioSelect,
        error_messages={"required": "Select what you decide"},
    )
    reason = forms.CharField(
        label="Why?",
        help_text="It is kept with the record",
        max_length=500,
        widget=forms.Textarea,
        error_messages={"required": "Enter a reason"},
    )

    looks = {
        "decision": Look(
            label_size="m",
            option_hints={
                RowDecision.ACCEPTED: "It is checked once more and then does what it says",
                RowDecision.REFUSED: "Nothing changes",
            },
        ),
        "reason": Look(label_size="m", rows=3, count=True),
    }

    def __init__(self, *args: Any, may_accept: bool = True, **options: Any) -> None:
        super().__init__(*args, **options)
        decision = cast(forms.ChoiceField, self.fields["decision"])
        if not may_accept:
            decision.choices = [each for each in _DECISIONS if each[0] != RowDecision.ACCEPTED]


class WithdrawForm(GovukForm, forms.Form):
    """Why an offer is taken back."""

    reason = forms.ChoiceField(
        label="Why is the offer withdrawn?",
        choices=WithdrawalReason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Select why the offer is withdrawn"},
    )
    note = forms.CharField(
        label="Note (optional)",
        help_text="It is kept with the record",
        max_length=500,
        required=False,
        widget=forms.Textarea,
    )

    looks = {"reason": Look(label_size="m"), "note": Look(rows=2, count=True)}


class ExtendForm(GovukForm, forms.Form):
    """A later day, and what shows that police decided it."""

    complete_by = DatePartsField(label="New complete-by date", noun="the new complete-by date")
    evidence = forms.CharField(
        label="What shows that the extension was decided?",
        help_text="For example who decided it, when, and the number of the letter",
        max_length=500,
        widget=forms.Textarea,
        error_messages={"required": "Enter what shows that the extension was decided"},
    )

    looks = {"complete_by": Look(label_size="m"), "evidence": Look(rows=3, count=True, label_size="m")}


class CourseForm(GovukForm, forms.Form):
    """Another course for an offer, and why. `courses` are (code, name) of those there are to choose from."""

    course = forms.ChoiceField(
        label="Which course is it now?",
        widget=forms.RadioSelect,
        error_messages={"required": "Select a course"},
    )
    reason = forms.CharField(
        label="Why is the course decided again?",
        help_text="It is kept with the record",
        max_length=500,
        widget=forms.Textarea,
        error_messages={"required": "Enter why the course is decided again"},
    )

    looks = {"course": Look(label_size="m"), "reason": Look(rows=2, count=True, label_size="m")}

    def __init__(self, *args: Any, courses: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        cast(forms.ChoiceField, self.fields["course"]).choices = courses


class NoteForm(GovukForm, forms.Form):
    """A note to a referral's story."""

    note = forms.CharField(
        label="Add a note",
        help_text="KCC staff see it too. Do not write about health or other private matters",
        max_length=500,
        widget=forms.Textarea,
        error_messages={"required": "Enter the note"},
    )

    looks = {"note": Look(rows=2, count=True)}
