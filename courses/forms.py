"""Forms of the admin's pages about sessions: shape of input only."""

import datetime as dt
from typing import Any

from django import forms

from common import clock
from courses.constants import Mode, TrainerRole
from courses.models import CourseType, Room, Session, Trainer
from courses.services.sessions import Plan

MOST_WEEKS = 26


class DateInput(forms.DateInput):
    """A date as browsers ask for it."""

    input_type = "date"


class TimeInput(forms.TimeInput):
    """A time as browsers ask for it."""

    input_type = "time"


class ReasonForm(forms.Form):
    """A reason, nothing else."""

    reason = forms.CharField(max_length=200, help_text="It is kept with the change")


class ScheduleForm(forms.Form):
    """One session, or the same one every week."""

    course_type = forms.ModelChoiceField(CourseType.objects.filter(is_delivered=True), label="Course")
    mode = forms.ChoiceField(choices=Mode.choices)
    room = forms.ModelChoiceField(
        Room.objects.filter(venue__is_active=True).select_related("venue"),
        required=False,
        help_text="For courses in person",
    )
    day = forms.DateField(label="First day", widget=DateInput)
    time = forms.TimeField(label="Starts at", widget=TimeInput, help_text="London time")
    weeks = forms.IntegerField(min_value=1, max_value=MOST_WEEKS, initial=1, help_text="How many weeks in a row")
    capacity = forms.IntegerField(
        min_value=1, required=False, help_text="Places; empty for one trainer's, as the course's version says"
    )
    joining_url = forms.URLField(required=False, label="Joining link", assume_scheme="https")
    is_open = forms.BooleanField(required=False, label="Open for booking at once")

    def clean(self) -> dict[str, Any]:
        """Times the clocks never show are refused."""
        cleaned = super().clean() or self.cleaned_data
        if "day" in cleaned and "time" in cleaned and not self.errors:
            try:
                self.plans()
            except clock.NonexistentTimeError as error:
                raise forms.ValidationError("On one of these days the clocks go forward over this time.") from error
        return cleaned

    def plans(self) -> list[Plan]:
        """A plan for each week: the same London time, also across a clock change."""
        given = self.cleaned_data
        return [
            Plan(
                course_type_id=given["course_type"].pk,
                mode=given["mode"],
                starts_at=clock.from_london(given["day"] + dt.timedelta(weeks=week), given["time"]),
                room_id=given["room"].pk if given["room"] else None,
                capacity=given["capacity"],
                joining_url=given["joining_url"],
            )
            for week in range(given["weeks"])
        ]


class CapacityForm(ReasonForm):
    """Another number of places."""

    capacity = forms.IntegerField(min_value=1, label="Places")
    field_order = ("capacity", "reason")


class ChangeForm(ReasonForm):
    """Another time, room or link."""

    day = forms.DateField(label="Day", widget=DateInput)
    time = forms.TimeField(label="Starts at", widget=TimeInput, help_text="London time")
    room = forms.ModelChoiceField(Room.objects.select_related("venue"), required=False)
    joining_url = forms.URLField(required=False, label="Joining link", assume_scheme="https")
    field_order = ("day", "time", "room", "joining_url", "reason")

    def __init__(self, *args: Any, session: Session, **kwargs: Any) -> None:
        starts_at = clock.london(session.starts_at)
        kwargs["initial"] = {
            "day": starts_at.date(),
            "time": starts_at.time(),
            "room": session.room_id,
            "joining_url": session.joining_url,
        }
        super().__init__(*args, **kwargs)
        if session.room_id is None:
            del self.fields["room"]

    def clean(self) -> dict[str, Any]:
        """Adds `starts_at`."""
        cleaned = super().clean() or self.cleaned_data
        if "day" in cleaned and "time" in cleaned:
            try:
                cleaned["starts_at"] = clock.from_london(cleaned["day"], cleaned["time"])
            except clock.NonexistentTimeError as error:
                raise forms.ValidationError("The clocks go forward over this time on that day.") from error
        return cleaned


class RosterForm(forms.Form):
    """A trainer and what they do."""

    trainer = forms.ModelChoiceField(Trainer.objects.filter(is_active=True))
    role = forms.ChoiceField(choices=TrainerRole.choices)


class TakeOffForm(ReasonForm):
    """A trainer of this session, and why they are taken off it."""

    trainer = forms.ModelChoiceField(Trainer.objects.none())
    field_order = ("trainer", "reason")

    def __init__(self, *args: Any, session: Session, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["trainer"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Trainer.objects.filter(assignments__session=session)
