"""What is to be written in each column, for who makes the files (CONTRACT.md, batch files)."""

from collections.abc import Mapping

from referrals.rules.columns import FORECAST, REFERRALS, WITHDRAWALS

_DAY = "2026-11-20 or 20/11/2026"
_FORCE = "The force's two figures, as text: 46"
_REFERENCE = "6 to 25 letters, figures, slashes and hyphens, no spaces"
_COURSE = "NSAC, NMAC, WDU, NRRAC or SCD"
_SPEED = "Whole miles per hour: 30"
_PHONE = "With its leading 0, or + and the country code"

GUIDE: Mapping[str, Mapping[str, str]] = {
    REFERRALS.name: {
        "force_code": _FORCE,
        "reference": f"{_REFERENCE}. The person signs in with it",
        "pin": "4 to 8 figures, with leading zeros. The person signs in with it",
        "course_code": _COURSE,
        "offence_code": "Two letters and two figures: SP30",
        "offence_at": "Date and UK time: 2026-11-07T08:46",
        "offence_location": "At most 200 characters",
        "speed_limit_mph": _SPEED,
        "recorded_speed_mph": _SPEED,
        "vehicle_registration": "Letters and figures, with or without a space",
        "title": "At most 35 characters",
        "forenames": "As on the licence; they are kept exactly as written",
        "surname": "As on the licence; it is kept exactly as written",
        "date_of_birth": _DAY,
        "licence_type": "GB, NI, EU, OTHER or NONE",
        "driver_number": "Needed for GB (16 characters) and NI (8 figures)",
        "licence_country": "Two letters: GB, IE, IN",
        "address_1": "At most 120 characters",
        "address_2": "At most 120 characters",
        "address_3": "At most 120 characters",
        "town": "At most 80 characters",
        "postcode": "A full UK postcode: ME14 1XX",
        "country": "Two letters; empty means GB",
        "email": "One address. Without it and a mobile number we can only write by post",
        "mobile": _PHONE,
        "landline": _PHONE,
        "offer_date": _DAY,
        "book_by": "Last day to book. Empty: we fill it in by the scheme’s terms and tell you",
        "complete_by": "Last day to complete, at most the day before offence + 6 months. Empty: we fill it in",
    },
    WITHDRAWALS.name: {
        "force_code": _FORCE,
        "reference": "The reference of the offer",
        "reason": "FIXED_PENALTY_PAID, TIME_EXPIRED, FAILED_TO_COMPLETE, COURT or OTHER",
        "effective_at": "Date and UK time: 2026-11-24T09:30. Empty: at once",
    },
    FORECAST.name: {
        "force_code": _FORCE,
        "month": "2026-12",
        "course_code": _COURSE,
        "expected_referrals": "A whole number without commas: 3900",
    },
}
