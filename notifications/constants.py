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
    PASSED_ON = "PASSED_ON", "Not delivered: told another way"
    DEAD = "DEAD", "Given up: needs a person"


WAITING = (MessageStatus.QUEUED, MessageStatus.SENDING)


class Anchor(TextChoices):
    """The moment a reminder or chaser is counted from."""

    COURSE_START = "COURSE_START", "The start of the course"
    OFFER = "OFFER", "The day of the offer"
    BOOK_BY = "BOOK_BY", "Book by"
    COMPLETE_BY = "COMPLETE_BY", "Complete by"
