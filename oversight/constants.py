"""The promises we are measured by (DOMAIN.md §7)."""

from django.db.models import TextChoices


class Promise(TextChoices):
    """What has a clock."""

    BATCH_PROCESSED = "BATCH_PROCESSED", "Batch received to processed"
    REFERRAL_BOOKABLE = "REFERRAL_BOOKABLE", "Referral received to candidate can book"
    WITHDRAWAL_ACTED_ON = "WITHDRAWAL_ACTED_ON", "Withdrawal acted on"
    OUTCOME_REPORTED = "OUTCOME_REPORTED", "Outcome to force"
    REGISTER_CLOSED = "REGISTER_CLOSED", "Register closed after session end"


class Unit(TextChoices):
    """How a limit is counted."""

    HOURS = "HOURS", "hours round the clock"
    WORKING_HOURS = "WORKING_HOURS", "working hours"
    WORKING_DAYS = "WORKING_DAYS", "working days"
