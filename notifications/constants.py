"""States and choices of messages."""

from django.db.models import TextChoices


class Channel(TextChoices):
    """The way a message goes out."""

    EMAIL = "EMAIL", "E-mail"
    SMS = "SMS", "Text message"


class MessageStatus(TextChoices):
    """Where a message is on its way."""

    QUEUED = "QUEUED", "Waiting to be sent"
    SENDING = "SENDING", "Being sent"
    SENT = "SENT", "Sent"
    DROPPED = "DROPPED", "Dropped: no longer useful"
    DEAD = "DEAD", "Given up: needs a person"
