"""What the tests of messages share: GOV.UK Notify's stand-in."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.notify import API_KEY, FakeNotify


@pytest.fixture
def notify(settings: Any) -> Iterator[FakeNotify]:
    """Text messages are on, and go to a stand-in."""
    fake = FakeNotify()
    settings.NOTIFY_API_KEY, settings.NOTIFY_API_BASE = API_KEY, fake.url
    settings.NOTIFY_SMS_TEMPLATE_ID, settings.NOTIFY_EMAIL_TEMPLATE_ID = "sms-template", "email-template"
    settings.NOTIFY_CALLBACK_TOKEN = "receipts-token"
    yield fake
    fake.stop()
