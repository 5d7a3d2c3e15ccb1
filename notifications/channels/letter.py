"""What a channel is handed."""

from dataclasses import dataclass
from typing import Any

from notifications.constants import Channel


@dataclass(frozen=True, slots=True)
class Letter:
    """A rendered message. `identity` and `number` stay the same over every try, so that a repeat can be seen."""

    channel: Channel
    identity: str
    number: int
    is_repeat: bool
    to: str
    subject: str
    text: str
    html: str
    attachments: list[dict[str, Any]]
