"""A move of a booking to another date, from the held place to the swap."""

from django.db import models
from django.db.models import Q

from audit.history import History
from bookings import triggers
from bookings.constants import Evidence, MoveRule, MoveStatus


class Move(models.Model):
    """From one date to another: the new place is held beside the old one until both swap, or it runs out.

    The fee is kept from when the place was held: what was shown is what is charged, however long they take to pay.
    """

    booking = models.ForeignKey("bookings.Booking", on_delete=models.PROTECT, related_name="moves")
    from_place = models.ForeignKey("courses.Place", on_delete=models.PROTECT, related_name="moves_from")
    place = models.OneToOneField("courses.Place", on_delete=models.PROTECT, related_name="move")
    status = models.CharField(max_length=9, choices=MoveStatus, default=MoveStatus.HELD)
    status_at = models.DateTimeField()
    status_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    extensions = models.PositiveSmallIntegerField(default=0, help_text="how often the hold was extended")
    rule = models.CharField(max_length=8, choices=MoveRule, help_text="why it costs what it costs")
    fee_pence = models.PositiveIntegerField(help_text="as shown when the new place was held")
    evidence = models.CharField(
        max_length=11, choices=Evidence, blank=True, help_text="the kind seen where staff waived the fee"
    )
    charge = models.OneToOneField(
        "payments.Charge", on_delete=models.PROTECT, null=True, blank=True, related_name="move"
    )

    history = History()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["booking"], condition=Q(status=MoveStatus.HELD), name="bookings_one_held_move"
            ),
            models.CheckConstraint(
                name="bookings_move_fee_by_rule",
                condition=Q(rule__in=[MoveRule.LATE, MoveRule.FULL_FEE])
                | Q(rule__in=[MoveRule.FREE, MoveRule.WAIVED, MoveRule.OURS], fee_pence=0),
            ),
            models.CheckConstraint(
                name="bookings_move_waived_has_evidence",
                condition=Q(rule=MoveRule.WAIVED) & ~Q(evidence="") | ~Q(rule=MoveRule.WAIVED) & Q(evidence=""),
            ),
        ]
        triggers = [triggers.move_fits_offer]

    def __str__(self) -> str:
        return f"Move: {self.get_status_display().lower()}"
