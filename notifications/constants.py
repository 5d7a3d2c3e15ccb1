"""States and choices of messages."""

from django.db.models import TextChoices


class Channel(TextChoices):
    EMAIL = "EMAIL", "E-mail"
    SMS = "SMS", "Text message"


class MessageStatus(TextChoices):
    QUEUED = "QUEUED", "Waiting to be sent"
    SENDING = "SENDING", "Being sent"
    SENT = "SENT", "Sent"
    DROPPED = "DROPPED", "Dropped: no longer useful"
    DEAD = "DEAD", "Given up: needs a person"
