"""Reading what the mail sink wrote: one `.eml` file a message, the newest name last."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings

DIRECTORY = Path(settings.BASE_DIR) / ".local" / "mail"
# Nanoseconds since 1970 and a random tail, as devtools.mail_sink names its files.
NAME = re.compile(r"\d{20}-[0-9a-f]{8}\Z")


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as a person would see it. `attachments` are (file name, content type, bytes)."""

    name: str
    received_at: datetime
    to: str
    subject: str
    text: str
    attachments: list[tuple[str, str, bytes]]


def newest(limit: int) -> Iterator[Letter]:
    """The newest letters first, at most `limit`."""
    names = sorted((path.stem for path in DIRECTORY.glob("*.eml") if NAME.fullmatch(path.stem)), reverse=True)
    for name in names[:limit]:
        if found := letter(name):
            yield found


def letter(name: str) -> Letter | None:
    """The letter of that name, or None: names that no sink gives never reach the file system."""
    path = DIRECTORY / f"{name}.eml"
    if not NAME.fullmatch(name) or not path.is_file():
        return None
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    return Letter(
        name=name,
        received_at=datetime.fromtimestamp(int(name[:20]) / 1e9, UTC),
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or "(no subject)"),
        text=str(body.get_content()) if body else "",
        attachments=[
            (part.get_filename() or "attachment", part.get_content_type(), _bytes_of(part))
            for part in message.iter_attachments()
        ],
    )


def _bytes_of(part: EmailMessage) -> bytes:
    content = part.get_content()
    return content.encode() if isinstance(content, str) else bytes(content)
