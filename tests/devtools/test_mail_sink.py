"""The demo's mail server: whole messages in a folder, in the order they came."""

import subprocess
import sys
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTP

import pytest

from devtools import processes
from devtools.embedded.ports import free_port, is_free

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    number = free_port()
    command = [sys.executable, "-m", "devtools.mail_sink", "--port", str(number), "--dir", str(tmp_path / "mail")]
    sink = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    assert processes.wait_until(lambda: not is_free(number), seconds=20)
    yield number
    sink.terminate()
    assert sink.wait(10) == 0


def test_messages_are_files_in_the_order_they_came(port: int, tmp_path: Path) -> None:
    for subject in ("Your place is held", "You are booked – Zoë"):
        message = EmailMessage()
        message["Subject"], message["To"] = subject, "someone@example.org"
        message.set_content("at 09:00")
        with SMTP("127.0.0.1", port) as client:
            client.send_message(message, "us@example.org")
    files = sorted((tmp_path / "mail").iterdir())
    assert [path.suffix for path in files] == [".eml", ".eml"]
    read = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]
    assert [message["Subject"] for message in read] == ["Your place is held", "You are booked – Zoë"]
