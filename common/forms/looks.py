"""How a form says what Django's fields cannot: widths, heading labels, option hints, revealed fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from django import forms
from django.forms.utils import pretty_name

from common.labels import mid_sentence


@dataclass(frozen=True, kw_only=True)
class Look:
    """The presentation of one field. Everything has a fair default; a form states only what differs."""

    label: str | None = None
    """Replaces the field's own label."""
    hint: str | None = None
    """Replaces the field's help text; "" hides it."""
    width: int | str = ""
    """Characters (2, 3, 4, 5, 10, 20, 30) or a share of the column ("one-half", "two-thirds", ...)."""
    label_size: Literal["", "s", "m", "l", "xl"] = ""
    """Size of label or legend; "" is body text for a label and "s" for a legend."""
    page_heading: bool = False
    """The label or legend is the page's h1 (size "l" unless label_size says otherwise)."""
    hide_label: bool = False
    """The label is there for screen readers only."""
    inline: bool = False
    """Radios side by side; for two short options."""
    small: bool = False
    """Small radios or checkboxes; for filters on work pages."""
    prefix: str = ""
    suffix: str = ""
    autocomplete: str = ""
    inputmode: str = ""
    spellcheck: bool | None = None
    rows: int | None = None
    count: bool = False
    """Shows how many characters are left of the field's max_length (text areas)."""
    option_hints: Mapping[str, str] = field(default_factory=dict)
    """Hint by option value, for radios and checkboxes."""
    reveals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of the fields shown under an option once it is chosen, by option value. CSS does it, no script."""
    or_before: str | None = None
    """The option value before which radios say "or" and checkboxes too."""


class GovukForm(forms.BaseForm):
    """Mixin for our own forms: `class Choose(GovukForm, forms.Form)` with `looks` by field name.

    The server alone validates: HTML's `required` would put the browser's own messages in front of ours.
    """

    looks: ClassVar[Mapping[str, Look]] = {}
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for name, each in self.fields.items():
            if each.error_messages.get("required") == forms.Field.default_error_messages["required"]:
                each.error_messages["required"] = _ask(name, each)


def _ask(name: str, asked: forms.Field) -> str:
    """What to do about an empty field, in place of Django's "This field is required."."""
    label = str(asked.label or pretty_name(name))
    if isinstance(asked, forms.BooleanField):
        return "Tick the box to continue"
    if isinstance(asked, forms.FileField):
        return "Choose a file"
    verb = "Select" if isinstance(asked, forms.ChoiceField) else "Enter"
    if label.endswith("?"):
        return f"{verb} an answer"
    # "Email address" becomes "email address"; "PIN" stays.
    spoken = mid_sentence(label)
    return f"{verb} {spoken}"


def look_of(form: forms.BaseForm, name: str) -> Look:
    """The look that the form states for the field, or the default look."""
    looks: Mapping[str, Look] = getattr(form, "looks", {})
    return looks.get(name, Look())


def revealed_names(form: forms.BaseForm) -> frozenset[str]:
    """Names of the fields that another field's options reveal; they are not rendered on their own."""
    looks: Mapping[str, Look] = getattr(form, "looks", {})
    return frozenset(name for look in looks.values() for names in look.reveals.values() for name in names)
