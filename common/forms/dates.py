"""A date asked for as day, month and year: the GOV.UK date input for dates people know by heart."""

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from django import forms
from django.core.exceptions import ValidationError

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

PARTS = ("day", "month", "year")
_MONTHS = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)


class DateParts(NamedTuple):
    """What was typed, untouched but for spaces around it."""

    day: str
    month: str
    year: str


class DatePartsInput(forms.Widget):
    """Three text inputs named NAME_day, NAME_month and NAME_year."""

    template_name = "components/forms/date_parts.html"
    use_fieldset = True

    def __init__(self, attrs: dict[str, Any] | None = None, *, birthday: bool = False) -> None:
        """With `birthday` the browser may fill in the reader's own date of birth (WCAG 1.3.5)."""
        super().__init__(attrs)
        self.birthday = birthday

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Adds `parts`: label, name, id, value, width and error state of each input."""
        context = super().get_context(name, value, attrs)
        wrong = context["widget"]["attrs"].pop("data-wrong-parts", "").split()
        id_ = context["widget"]["attrs"].get("id", "")
        typed = self._typed(value)
        context["widget"]["parts"] = [
            {
                "label": part.capitalize(),
                "name": f"{name}_{part}",
                "id": f"{id_}_{part}",
                "value": getattr(typed, part),
                "width": 4 if part == "year" else 2,
                "autocomplete": f"bday-{part}" if self.birthday else "",
                "wrong": part in wrong,
            }
            for part in PARTS
        ]
        return context

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> DateParts:
        """The three typed texts; empty ones where nothing came."""
        return DateParts(*(str(data.get(f"{name}_{part}") or "").strip() for part in PARTS))

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        """True when none of the three inputs was sent."""
        return all(f"{name}_{part}" not in data for part in PARTS)

    def id_for_label(self, id_: str) -> str:
        """Nothing: the legend names the group and each input has its own label."""
        return ""

    @staticmethod
    def _typed(value: Any) -> DateParts:
        if isinstance(value, DateParts):
            return value
        if isinstance(value, dt.date):
            return DateParts(str(value.day), str(value.month), str(value.year))
        return DateParts("", "", "")


class DatePartsField(forms.Field):
    """Cleans to a `datetime.date` or None.

    `noun` names the date inside the messages ("Your date of birth must include a year"). The month may be a number or
    a name. The code of each error lists the parts that are wrong ("missing:day year"), so that only they are marked.
    """

    widget = DatePartsInput
    default_error_messages: ClassVar[dict[str, "str | _StrPromise"]] = {
        "required": "Enter %(noun)s",
        "missing": "%(Noun)s must include a %(parts)s",
        "year": "Year must include 4 numbers",
        "unreal": "%(Noun)s must be a real date",
    }

    def __init__(self, *, noun: str = "the date", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.noun = noun

    def to_python(self, value: Any) -> dt.date | None:
        """Reads the three texts; raises ValidationError with the wrong parts in its code."""
        if value is None or isinstance(value, dt.date):
            return value
        typed = DateParts(*value)
        if not any(typed):
            return None
        missing = [part for part in PARTS if not getattr(typed, part)]
        if missing:
            raise self._error("missing", missing)
        if not (len(typed.year) == 4 and typed.year.isascii() and typed.year.isdigit()):
            raise self._error("year", ["year"])
        try:
            return dt.date(int(typed.year), self._month(typed.month), self._number(typed.day))
        except ValueError as error:
            raise self._error("unreal", list(PARTS)) from error

    def validate(self, value: Any) -> None:
        """Raises when a needed date was left empty."""
        if self.required and value is None:
            raise self._error("required", list(PARTS))

    def has_changed(self, initial: Any, data: Any) -> bool:
        """True when the typed date differs from the initial one, or cannot be read."""
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True

    @staticmethod
    def _number(text: str) -> int:
        if not (text.isascii() and text.isdigit()):  # int() alone takes "+3", "1_0" and other scripts' digits
            raise ValueError(text)
        return int(text)

    @classmethod
    def _month(cls, text: str) -> int:
        name = text.lower()
        for number, month in enumerate(_MONTHS, start=1):
            if len(name) >= 3 and name.startswith(month):
                return number
        return cls._number(text)

    def _error(self, code: str, parts: list[str]) -> ValidationError:
        noun = self.noun
        words = {
            "noun": noun,
            "Noun": noun[:1].upper() + noun[1:],
            "parts": " and ".join(parts),
        }
        return ValidationError(self.error_messages[code], code=f"{code}:{' '.join(parts)}", params=words)
