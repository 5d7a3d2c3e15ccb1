"""The candidate's forms: the shape of what is typed, no more."""

from typing import Any

from django import forms

from bookings.constants import ConsentKind, NeedKind, Rating
from bookings.models import ConsentText
from bookings.rules import PartOfDay
from bookings.services import Wishes
from common.clock import WEEKDAYS
from common.forms import GovukForm, Look
from common.identifiers import normalise_email, normalise_phone

PART_WORDS = {
    PartOfDay.MORNING: "Morning",
    PartOfDay.AFTERNOON: "Afternoon",
    PartOfDay.EVENING: "Evening, from 5pm",
}


def normal_email(typed: str) -> str:
    """An address that mail can be sent to. Raises ValidationError."""
    email = normalise_email(typed)
    if email is None:
        raise forms.ValidationError("Enter an email address in the correct format, like name@example.com")
    return email


def normal_mobile(typed: str) -> str:
    """A telephone number, or nothing where nothing is typed. Raises ValidationError."""
    if not typed.strip():
        return ""
    mobile = normalise_phone(typed.strip())
    if mobile is None:
        raise forms.ValidationError("Enter a mobile number, like 07700 900 982 or +44 808 157 0192")
    return mobile


class SignInForm(GovukForm, forms.Form):
    """Reference with PIN, or with driver number. Says nothing of whether they are right: that is the service's."""

    reference = forms.CharField(
        label="Reference",
        max_length=40,
        help_text="It is at the top of your letter. It has at least 6 letters and numbers, like 46ABCD1234",
        error_messages={"required": "Enter the reference from your letter"},
    )
    how = forms.ChoiceField(
        label="What else do you have?",
        choices=[("pin", "The PIN on my letter"), ("driver_number", "My driving licence number")],
        widget=forms.RadioSelect,
        error_messages={"required": "Select whether you have a PIN or a driving licence number"},
    )
    pin = forms.CharField(label="PIN", required=False, max_length=20, help_text="4 to 8 numbers")
    driver_number = forms.CharField(
        label="Driving licence number",
        required=False,
        max_length=40,
        help_text="It is in section 5 of your licence. Spaces do not matter",
    )
    looks = {
        "reference": Look(width=20, autocomplete="off", spellcheck=False),
        "how": Look(reveals={"pin": ("pin",), "driver_number": ("driver_number",)}),
        "pin": Look(width=10, inputmode="numeric", autocomplete="off", spellcheck=False),
        "driver_number": Look(width=20, autocomplete="off", spellcheck=False),
    }

    def clean(self) -> dict[str, Any]:
        """The chosen one of the two must be there; the other is left out, whatever was typed into it."""
        cleaned = super().clean() or self.cleaned_data
        how = cleaned.get("how")
        pin = "".join(cleaned.get("pin", "").split())
        number = cleaned.get("driver_number", "").strip()
        if how == "pin" and not pin and "pin" not in self.errors:
            self.add_error("pin", "Enter the PIN from your letter")
        if how == "driver_number" and not number and "driver_number" not in self.errors:
            self.add_error("driver_number", "Enter your driving licence number")
        cleaned["pin"] = pin if how == "pin" else ""
        cleaned["driver_number"] = number if how == "driver_number" else ""
        return cleaned


class DetailsForm(GovukForm, forms.Form):
    """How to reach the candidate."""

    email = forms.CharField(
        label="Email address",
        widget=forms.EmailInput,
        max_length=254,
        help_text="We send your confirmation and the link to join the course to this address",
        error_messages={"required": "Enter your email address"},
    )
    mobile = forms.CharField(
        label="Mobile number (optional)",
        widget=forms.TelInput,
        required=False,
        max_length=30,
        help_text="We use it only if we need to reach you about this course",
    )
    looks = {"email": Look(width="two-thirds"), "mobile": Look(width=20)}

    def clean_email(self) -> str:
        """An address that mail can be sent to."""
        return normal_email(self.cleaned_data["email"])

    def clean_mobile(self) -> str:
        """A telephone number, or nothing."""
        return normal_mobile(self.cleaned_data["mobile"])


class NeedsForm(GovukForm, forms.Form):
    """What the candidate needs to take part: `told` holds it by kind, with what they said about it."""

    NOTHING = "NOTHING"
    needs = forms.MultipleChoiceField(
        label="Do you need anything from us to take part?",
        help_text="Select all that apply. You can change this later",
        choices=[
            (NeedKind.BSL, "A British Sign Language (BSL) interpreter"),
            (NeedKind.CAPTIONS, "Captions, or a hearing loop"),
            (NeedKind.LARGE_PRINT, "Large print"),
            (NeedKind.STEP_FREE, "A place without steps"),
            (NeedKind.INTERPRETER, "To bring my own interpreter"),
            (NeedKind.PRIVATE_ID, "To show my identity in private, or to someone of my own sex"),
            (NeedKind.NO_INTERNET, "A course in a classroom, because I have no internet"),
            (NeedKind.OTHER, "Something else"),
            (NOTHING, "No, I do not need anything"),
        ],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Select what you need, or select ‘No, I do not need anything’"},
    )
    language = forms.CharField(
        label="Which language?",
        required=False,
        max_length=60,
        help_text="They come with you for the whole course",
    )
    other = forms.CharField(
        label="What do you need?",
        required=False,
        max_length=500,
        widget=forms.Textarea,
        help_text="Tell us only what we have to do, not the reason",
    )
    looks = {
        "needs": Look(
            page_heading=True,
            or_before=NOTHING,
            reveals={NeedKind.INTERPRETER: ("language",), NeedKind.OTHER: ("other",)},
            option_hints={
                NeedKind.STEP_FREE: "We show you only online courses and step-free places",
                NeedKind.NO_INTERNET: "We show you only courses in a classroom",
            },
        ),
        "language": Look(width=20),
        "other": Look(rows=3, count=True),
    }

    def clean(self) -> dict[str, Any]:
        """Nothing is nothing else; what an option asks for must be there."""
        cleaned = super().clean() or self.cleaned_data
        chosen = cleaned.get("needs", [])
        if self.NOTHING in chosen and len(chosen) > 1:
            self.add_error("needs", "Select what you need, or select ‘No, I do not need anything’, but not both")
        details = {NeedKind.INTERPRETER: cleaned.get("language", ""), NeedKind.OTHER: cleaned.get("other", "")}
        if NeedKind.INTERPRETER in chosen and not details[NeedKind.INTERPRETER]:
            self.add_error("language", "Enter the language your interpreter speaks")
        if NeedKind.OTHER in chosen and not details[NeedKind.OTHER]:
            self.add_error("other", "Enter what you need")
        self.told = {kind: details.get(NeedKind(kind), "") for kind in chosen if kind != self.NOTHING}
        return cleaned


class FeedbackForm(GovukForm, forms.Form):
    """Two questions."""

    rating = forms.TypedChoiceField(
        label="How was the course?",
        choices=Rating.choices,
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": "Select how the course was"},
    )
    words = forms.CharField(
        label="What should we do better? (optional)",
        required=False,
        max_length=1000,
        widget=forms.Textarea,
        help_text="Do not write anything about your offence or about other people",
    )
    looks = {"rating": Look(label_size="m"), "words": Look(label_size="m", rows=5, count=True)}


class ConsentsForm(GovukForm, forms.Form):
    """One tick box for each text; all of them are needed. The field's name holds the text's version."""

    def __init__(self, *args: Any, texts: list[ConsentText], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.texts = texts
        for text in texts:
            self.fields[f"text_{text.pk}"] = forms.BooleanField(
                label=text.statement,
                error_messages={"required": _ASKED[ConsentKind(text.kind)]},
            )

    @property
    def sections(self) -> list[tuple[str, ConsentText, forms.BoundField]]:
        """Heading, text and box of each."""
        return [(_HEADINGS[ConsentKind(text.kind)], text, self[f"text_{text.pk}"]) for text in self.texts]


_HEADINGS = {
    ConsentKind.DATA_SHARING: "Sharing what is needed about you",
    ConsentKind.TERMS: "Terms and conditions",
    ConsentKind.PRIVACY: "Privacy",
    ConsentKind.MEDICAL: "Being well enough to take part",
    ConsentKind.DIGITAL: "How you take part",
    ConsentKind.EXPRESS_REQUEST: "If your course is soon",
}
_ASKED = {
    ConsentKind.DATA_SHARING: "Tick the box to agree that we share what is needed with the police and UKROEd",
    ConsentKind.TERMS: "Tick the box to accept the terms and conditions",
    ConsentKind.PRIVACY: "Tick the box to say you have read the privacy notice",
    ConsentKind.MEDICAL: "Tick the box to say you have read the advice about being fit to take part",
    ConsentKind.DIGITAL: "Tick the box to say you will join alone, from a quiet private place, with your camera on",
    ConsentKind.EXPRESS_REQUEST: "Tick the box to ask us to provide the course even within 14 days",
}


class CancelForm(GovukForm, forms.Form):
    """Are you sure? One question, no default."""

    sure = forms.ChoiceField(
        label="Do you want to cancel your course?",
        choices=[("yes", "Yes, cancel my course"), ("no", "No, keep my course")],
        widget=forms.RadioSelect,
        error_messages={"required": "Select yes if you want to cancel your course"},
    )
    looks = {"sure": Look(label_size="m")}


class WaitingForm(GovukForm, forms.Form):
    """What somebody waits for; nothing ticked is anything. `modes` and `venues` are what the course is given in."""

    modes = forms.MultipleChoiceField(
        label="How do you want to take the course?",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    venues = forms.TypedMultipleChoiceField(
        label="Where, if it is in person?",
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
    )
    weekdays = forms.TypedMultipleChoiceField(
        label="On which days?",
        required=False,
        coerce=int,
        choices=[(number, name) for number, name in enumerate(WEEKDAYS, start=1)],
        widget=forms.CheckboxSelectMultiple,
    )
    parts = forms.MultipleChoiceField(
        label="At what time?",
        required=False,
        choices=[(part.value, words) for part, words in PART_WORDS.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    looks = {
        "modes": Look(label_size="s", small=True),
        "venues": Look(label_size="s", small=True),
        "weekdays": Look(label_size="s", small=True),
        "parts": Look(label_size="s", small=True),
    }

    def __init__(self, *args: Any, modes: list[tuple[str, str]], venues: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (("modes", modes), ("venues", venues)):
            if len(choices) > 1:
                self.fields[name].choices = choices  # type: ignore[attr-defined]
            else:
                del self.fields[name]  # there is nothing to choose

    @property
    def wishes(self) -> Wishes:
        """What was ticked."""
        given = self.cleaned_data
        return Wishes(
            modes=given.get("modes", []),
            venue_ids=given.get("venues", []),
            weekdays=given["weekdays"],
            parts=given["parts"],
        )
