"""What candidates agree to, by version."""

from django.db import models

from audit.history import History
from bookings.constants import ConsentKind


class ConsentText(models.Model):
    """The words a candidate agrees to, by version. A live text is never edited: a new version is added."""

    kind = models.CharField(max_length=16, choices=ConsentKind)
    version = models.PositiveSmallIntegerField()
    valid_from = models.DateField()
    statement = models.CharField(max_length=300, help_text="the words beside the tick box")
    body = models.TextField(blank=True, help_text="the longer text it speaks of")

    history = History()

    class Meta:
        ordering = ["kind", "-version"]
        constraints = [models.UniqueConstraint(fields=["kind", "version"], name="bookings_consent_version")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} v{self.version}"


class Consent(models.Model):
    """What a candidate agreed to, in which words, when."""

    booking = models.ForeignKey("bookings.Booking", on_delete=models.PROTECT, related_name="consents")
    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT)
    given_at = models.DateTimeField()

    history = History()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["booking", "text"], name="bookings_consent_once")]

    def __str__(self) -> str:
        return f"{self.booking}: {self.text}"
