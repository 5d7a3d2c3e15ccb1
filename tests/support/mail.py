"""An SMTP server in the test process that keeps what it is sent, and can be out of order."""

import email
import email.policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from devtools import processes
from devtools.embedded.ports import free_port


def words_of(mail: EmailMessage, kind: str = "plain") -> str:
    """The text of a mail; `kind` is "plain" or "html"."""
    part = mail.get_body((kind,))
    assert part is not None, f"the mail has no {kind} text"
    return str(part.get_content())


class SmtpSink:
    """`messages` holds what came in; `stop()` and `start()` make an outage; `answer` refuses with that SMTP reply."""

    def __init__(self) -> None:
        """The port is chosen now and kept over outages."""
        self.port = free_port()
        self.messages: list[EmailMessage] = []
        self.answer = ""
        self._controller: Controller | None = None

    @property
    def url(self) -> str:
        """For EMAIL_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen."""
        if self._controller is None:
            self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
            self._controller.start()

    def stop(self) -> None:
        """Refuse connections."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def reset(self) -> None:
        """Forget all messages and work normally."""
        self.start()
        self.answer = ""
        self.messages.clear()

    def wait_for(self, count: int, *, seconds: float = 20) -> list[EmailMessage]:
        """The messages, once there are that many; else an AssertionError."""
        processes.wait_until(lambda: len(self.messages) >= count, seconds=seconds)
        assert len(self.messages) >= count, f"{len(self.messages)} messages came, {count} were awaited"
        return list(self.messages)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Called by the SMTP server with each message."""
        if self.answer:
            return self.answer
        content = envelope.content.replace(b"\r\n", b"\n")
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        return "250 OK"
