"""The shape of one client's mark."""

from django import forms

from common.forms import GovukForm, Look
from rosters.constants import DocumentKind, Mark


class MarkForm(GovukForm, forms.Form):
    """One client on the register. `seen_at` is the mark the page showed, so that nobody writes over another's."""

    mark = forms.ChoiceField(
        label="What happened",
        choices=[("", "Choose"), *Mark.choices],
        error_messages={"required": "Choose what happened"},
    )
    document_kind = forms.ChoiceField(
        label="Identity document checked",
        help_text="Original only. Needed for a completed course.",
        choices=[("", "None"), *DocumentKind.choices],
        required=False,
    )
    note = forms.CharField(label="Note (optional)", max_length=200, required=False)
    seen_at = forms.DateTimeField(required=False, widget=forms.HiddenInput)

    looks = {"mark": Look(width=20), "document_kind": Look(width=20), "note": Look(width="two-thirds")}
