"""A link to pay by, for who booked by telephone."""

from django.db import models

from audit.history import History


class PayLink(models.Model):
    """A place held until a link is paid. Where it stands is told by its booking; the link itself is a signature."""

    booking = models.OneToOneField("bookings.Booking", on_delete=models.PROTECT, related_name="pay_link")
    expires_at = models.DateTimeField(help_text="the place is held until then, however often the link is sent")
    sent_at = models.DateTimeField(help_text="when it was last sent")
    sent_by = models.CharField(max_length=80)
    times_sent = models.PositiveSmallIntegerField(default=1)

    history = History()

    def __str__(self) -> str:
        return f"Pay link of {self.booking}"
