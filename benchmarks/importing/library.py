"""Referrals by django-import-export, the library that one would otherwise take."""

import datetime as dt
from pathlib import Path
from typing import Any

import tablib
from import_export import fields, resources, widgets

from common.crypto import encrypt
from courses.models import CourseType
from referrals import lookups
from referrals.models import Force, Referral

_SAME = (
    *("reference", "offence_code", "offence_location", "vehicle_registration", "title", "forenames", "surname"),
    *("licence_type", "licence_country", "address_1", "address_2", "address_3", "town", "postcode", "country"),
    *("email", "mobile", "landline"),
)


def import_with_library(path: str, *, now: dt.datetime) -> int:
    """Import a file of good rows and return how many there were. Raises where the library reports an error."""
    data = tablib.Dataset().load(Path(path).read_text(encoding="utf-8"), format="csv")
    result = ReferralResource(now).import_data(data, raise_errors=True, use_transactions=True)
    if result.totals["new"] != len(data):
        raise RuntimeError(f"only {result.totals['new']} of {len(data)} rows were new")
    return len(data)


class ReferralResource(resources.ModelResource):
    """The file's columns, with the same hashes and the same encryption. Of the checks there are the library's own."""

    force = fields.Field("force", "force_code", widgets.ForeignKeyWidget(Force, "code"))
    course_type = fields.Field("course_type", "course_code", widgets.ForeignKeyWidget(CourseType, "code"))
    offence_at = fields.Field("offence_at", "offence_at", widgets.DateTimeWidget("%Y-%m-%dT%H:%M"))
    date_of_birth = fields.Field("date_of_birth", "date_of_birth", widgets.DateWidget("%Y-%m-%d"))
    offer_on = fields.Field("offer_on", "offer_date", widgets.DateWidget("%Y-%m-%d"))
    book_by = fields.Field("book_by", "book_by", widgets.DateWidget("%Y-%m-%d"))
    complete_by = fields.Field("complete_by", "complete_by", widgets.DateWidget("%Y-%m-%d"))
    speed_limit_mph = fields.Field("speed_limit_mph", "speed_limit_mph", widgets.IntegerWidget())
    recorded_speed_mph = fields.Field("recorded_speed_mph", "recorded_speed_mph", widgets.IntegerWidget())

    class Meta:
        model = Referral
        import_id_fields = ("force", "reference")
        fields = (
            *("force", "course_type", "offence_at", "date_of_birth", "offer_on", "book_by", "complete_by"),
            *("speed_limit_mph", "recorded_speed_mph", *_SAME),
        )

    def __init__(self, now: dt.datetime) -> None:
        super().__init__()
        self._now = now

    def before_save_instance(self, instance: Referral, row: dict[str, Any], **kwargs: Any) -> None:
        """What does not stand in the file."""
        instance.status_at = instance.received_at = instance.bookable_at = self._now
        instance.status_by = "job:import"
        instance.surname_key = instance.surname.upper()
        instance.country = instance.country or "GB"
        instance.book_by = instance.book_by or instance.offer_on + dt.timedelta(days=28)
        instance.complete_by = instance.complete_by or instance.offer_on + dt.timedelta(days=90)
        number = row["driver_number"] or ""
        instance.pin_hash = lookups.pin_hash(instance.force_id, instance.reference, row["pin"])
        instance.driver_number_hash = lookups.driver_number_hash(number)
        instance.driver_number_encrypted = encrypt(number)
        instance.person_hash = lookups.person_hash(instance.surname, instance.date_of_birth, instance.postcode)
