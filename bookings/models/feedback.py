"""What candidates say of their course."""

from django.db import models
from django.db.models import Q

from audit.history import History
from bookings.constants import Rating


class Feedback(models.Model):
    """Two answers after the course, once for each booking."""

    booking = models.OneToOneField("bookings.Booking", on_delete=models.PROTECT, related_name="feedback")
    rating = models.PositiveSmallIntegerField(choices=Rating, help_text="1 very poor to 5 very good")
    words = models.TextField(max_length=1000, blank=True)
    given_at = models.DateTimeField()

    history = History()

    class Meta:
        ordering = ["-given_at"]
        verbose_name_plural = "feedback"
        constraints = [
            models.CheckConstraint(name="bookings_feedback_rating", condition=Q(rating__gte=1, rating__lte=5)),
        ]

    def __str__(self) -> str:
        return self.get_rating_display()
