"""What waits in the outbox."""

from datetime import datetime

from django.db.models import Min

from notifications.constants import MessageStatus
from notifications.models import Message


def oldest_unsent_at(*, now: datetime) -> datetime | None:
    """Since when the oldest message that is due has been waiting; None when nothing is due."""
    waiting = Message.objects.filter(status__in=[MessageStatus.QUEUED, MessageStatus.SENDING], created_at__lte=now)
    first: datetime | None = waiting.filter(send_at__lte=now).aggregate(first=Min("send_at"))["first"]
    return first
