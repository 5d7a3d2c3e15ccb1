"""Outcomes of a course day (DOMAIN.md §2)."""

from django.db.models import TextChoices


class Mark(TextChoices):
    """What a trainer notes of a client; all but the first are reasons for not completing."""

    COMPLETED = "COMPLETED", "Completed"
    DID_NOT_ATTEND = "DID_NOT_ATTEND", "Did not attend"
    LATE = "LATE", "Late"
    NO_VALID_ID = "NO_VALID_ID", "No valid identity document"
    LEFT_EARLY = "LEFT_EARLY", "Left early"
    DISRUPTIVE = "DISRUPTIVE", "Disruptive or not taking part"
    TECHNICAL = "TECHNICAL", "Technical failure"
    UNFIT_SURROUNDINGS = "UNFIT_SURROUNDINGS", "Unfit surroundings"
    UNPAID = "UNPAID", "Unpaid"
    UNSAFE_DRIVE = "UNSAFE_DRIVE", "Unsafe drive"
    IMPERSONATION = "IMPERSONATION", "Impersonation"


class DocumentKind(TextChoices):
    """The kind of identity document that was checked; never its number or an image."""

    PHOTOCARD = "PHOTOCARD", "Photocard driving licence"
    PASSPORT = "PASSPORT", "Passport"
    OTHER = "OTHER", "Other photo identity document"
