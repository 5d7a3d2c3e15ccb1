"""Text messages and GOV.UK Notify: quiet hours, what goes where, receipts, and the way on when a channel fails."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from notifications import rules, services
from notifications.catalogue import KINDS
from notifications.constants import Channel, MessageStatus
from notifications.models import Message
from notifications.services import Draft
from tests.support.mail import SmtpSink
from tests.support.notify import FakeNotify

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NIGHT = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)
MORNING = datetime(2026, 11, 21, 8, tzinfo=UTC)
NOTHING = {"sent": 0, "dropped": 0, "put_off": 0, "dead": 0}
URL = "/notifications/notify/receipt/"


def tell(kind: str = "confirmation", *, now: datetime = NOON, **fields: Any) -> None:
    draft = {"email": "zoe@example.org", "mobile": "07700900123", "dedupe_key": f"{kind}:1", **fields}
    services.tell(Draft(kind=kind, context=KINDS[kind].sample, referral_key="46/46TEST0001", **draft), now=now)


def states() -> dict[str, tuple[str, str]]:
    return {m.channel: (m.status, m.error) for m in Message.objects.all()}


def receipt(client: Client, fake: FakeNotify, status: str, *, token: str = "receipts-token", number: int = -1) -> int:
    sent = fake.sent[number]
    answer = client.post(
        URL,
        {"id": sent["id"], "reference": sent["reference"], "status": status, "to": "x", "notification_type": "sms"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    return answer.status_code


def test_both_channels_are_told_and_the_text_is_short(notify: FakeNotify, smtp_sink: SmtpSink) -> None:
    tell()
    assert services.send_messages(now=NOON) == {**NOTHING, "sent": 2}
    (sent,) = notify.sent
    message = Message.objects.get(channel=Channel.SMS)
    assert (sent["kind"], sent["phone_number"], sent["template_id"]) == ("sms", "07700900123", "sms-template")
    assert sent["reference"] == f"ndors-{message.pk}"
    assert sent["personalisation"]["body"].startswith("KCC driver courses: booked for 9am on Monday 14 December 2026.")
    assert (message.provider_id, message.version) == (sent["id"], 0)
    assert len(smtp_sink.messages) == 1


def test_a_kind_that_is_not_texted_goes_by_text_where_there_is_no_address(notify: FakeNotify) -> None:
    tell("outcome")
    tell("outcome", email="", dedupe_key="outcome:2")
    assert sorted(Message.objects.values_list("dedupe_key", "channel")) == [
        ("outcome:1", "EMAIL"),
        ("outcome:2:sms", "SMS"),
    ]


def test_nobody_is_texted_while_the_channel_is_off(settings: Any) -> None:
    settings.NOTIFY_API_KEY = ""
    tell()
    tell(email="", dedupe_key="confirmation:2")
    told = Message.objects.order_by("pk").values_list("channel", "to", "status")
    assert list(told) == [("EMAIL", "zoe@example.org", "QUEUED"), ("EMAIL", "", "DEAD")]  # staff tell the second


@pytest.mark.parametrize(
    ("moment", "morning"),
    [
        ("2026-11-20T20:59+00:00", "2026-11-20T20:59+00:00"),
        ("2026-11-20T21:00+00:00", "2026-11-21T08:00+00:00"),
        ("2026-11-21T07:59+00:00", "2026-11-21T08:00+00:00"),
        ("2026-11-21T08:00+00:00", "2026-11-21T08:00+00:00"),
        ("2027-03-27T22:00+00:00", "2027-03-28T07:00+00:00"),  # the clocks go forward in that night
        ("2027-10-30T20:30+00:00", "2027-10-31T08:00+00:00"),  # and back in this one; 9:30pm in London
    ],
)
def test_quiet_hours_are_londons(moment: str, morning: str) -> None:
    assert rules.after_quiet_hours(datetime.fromisoformat(moment)) == datetime.fromisoformat(morning)


def test_at_night_the_text_waits_and_the_mail_goes(notify: FakeNotify, smtp_sink: SmtpSink) -> None:
    tell(now=NIGHT)
    assert services.send_messages(now=NIGHT) == {**NOTHING, "sent": 1}
    assert Message.objects.get(channel=Channel.SMS).send_at == MORNING
    assert services.send_messages(now=MORNING) == {**NOTHING, "sent": 1}
    assert len(notify.sent) == 1


def test_a_text_that_failed_by_day_is_not_tried_at_night(notify: FakeNotify) -> None:
    tell(email="")
    notify.answer = (503, "away")
    services.send_messages(now=NOON)
    Message.objects.update(send_at=NIGHT)
    assert services.send_messages(now=NIGHT) == {**NOTHING, "put_off": 1}
    message = Message.objects.get()
    assert (message.send_at, message.attempts, message.error) == (MORNING, 1, "waits for the morning")


def test_a_text_that_is_useless_by_the_morning_is_dropped(notify: FakeNotify) -> None:
    tell("reminder_2h", email="", now=NIGHT, useless_at=MORNING - timedelta(minutes=1))
    Message.objects.update(send_at=NIGHT)
    assert services.send_messages(now=NIGHT) == {**NOTHING, "dropped": 1}
    assert states()["SMS"][1] == "no longer useful by the morning, and nobody is texted at night"
    assert notify.sent == []


def test_mail_by_notify_where_it_is_wished_says_nothing_of_a_file(notify: FakeNotify, settings: Any) -> None:
    settings.EMAIL_CHANNEL = "notify"
    tell(mobile="", attachments=[{"name": "course.ics", "content_type": "text/calendar", "text": "BEGIN"}])
    assert services.send_messages(now=NOON) == {**NOTHING, "sent": 1}
    (sent,) = notify.sent
    assert (sent["kind"], sent["email_address"]) == ("email", "zoe@example.org")
    assert sent["personalisation"]["subject"] == "Your driver course is booked: KCC-2345-6789"
    assert "attached" not in sent["personalisation"]["body"]


def test_a_refused_address_is_told_by_text_instead(notify: FakeNotify, smtp_sink: SmtpSink) -> None:
    smtp_sink.answer = "550 No such person"
    tell("outcome")
    services.send_messages(now=NOON)
    assert states() == {
        "EMAIL": (MessageStatus.PASSED_ON, "the mail server refused the message (550)"),
        "SMS": (MessageStatus.QUEUED, ""),
    }
    services.send_messages(now=NOON)
    assert len(notify.sent) == 1
    assert states()["SMS"] == (MessageStatus.SENT, "")


def test_with_no_channel_left_staff_must_tell(notify: FakeNotify, smtp_sink: SmtpSink) -> None:
    smtp_sink.answer = "550 No such person"
    notify.answer = (400, "phone_number Not a valid phone number")
    tell()
    services.send_messages(now=NOON)
    services.send_messages(now=NOON)
    assert sorted(status for status, _ in states().values()) == [MessageStatus.DEAD, MessageStatus.PASSED_ON]
    assert "Not a valid phone number" in states()["SMS"][1]


def test_a_bad_key_is_ours_to_mend_and_the_message_waits(notify: FakeNotify) -> None:
    notify.answer = (403, "Invalid token")
    tell(email="")
    assert services.send_messages(now=NOON) == {**NOTHING, "put_off": 1}
    assert states()["SMS"] == (MessageStatus.QUEUED, "Notify answered 403")


def test_an_answer_that_got_lost_sends_nothing_twice(notify: FakeNotify) -> None:
    tell(email="")
    notify.is_deaf = True
    assert services.send_messages(now=NOON) == {**NOTHING, "put_off": 1}
    notify.is_deaf = False
    assert services.send_messages(now=NOON + timedelta(minutes=1)) == {**NOTHING, "sent": 1}
    assert len(notify.sent) == 1
    assert Message.objects.get().provider_id == notify.sent[0]["id"]


def test_a_receipt_is_taken_in_once(notify: FakeNotify, client: Client) -> None:
    tell(email="")
    services.send_messages(now=NOON)
    assert receipt(client, notify, "delivered") == 204
    first = Message.objects.get().delivered_at
    assert first is not None
    assert receipt(client, notify, "delivered") == 204
    assert receipt(client, notify, "permanent-failure") == 204
    message = Message.objects.get()
    assert (message.delivered_at, message.status) == (first, MessageStatus.SENT)


def test_a_failed_receipt_puts_the_message_on_the_list_once(notify: FakeNotify, client: Client) -> None:
    tell(email="")
    services.send_messages(now=NOON)
    for _ in range(2):
        assert receipt(client, notify, "permanent-failure") == 204
    assert states() == {"SMS": (MessageStatus.DEAD, "Notify could not deliver it (permanent-failure)")}


def test_a_text_that_failed_beside_a_mail_that_went_needs_nobody(
    notify: FakeNotify, smtp_sink: SmtpSink, client: Client
) -> None:
    tell()
    services.send_messages(now=NOON)
    assert receipt(client, notify, "temporary-failure") == 204
    assert states()["SMS"][0] == MessageStatus.PASSED_ON


def test_a_receipt_that_overtakes_our_note_is_asked_for_again(notify: FakeNotify, client: Client) -> None:
    tell(email="")
    services.send_messages(now=NOON)
    Message.objects.update(status=MessageStatus.QUEUED, sent_at=None, provider_id="")
    assert receipt(client, notify, "delivered") == 503
    assert Message.objects.get().delivered_at is None


def test_receipts_of_strangers_change_nothing(notify: FakeNotify, client: Client, settings: Any) -> None:
    tell(email="")
    services.send_messages(now=NOON)
    assert receipt(client, notify, "delivered", token="another") == 401
    settings.NOTIFY_CALLBACK_TOKEN = ""
    assert receipt(client, notify, "delivered", token="") == 401
    settings.NOTIFY_CALLBACK_TOKEN = "receipts-token"
    head = {"Authorization": "Bearer receipts-token"}
    assert client.get(URL).status_code == 405
    assert client.post(URL, b"[]", content_type="application/json", headers=head).status_code == 400
    assert client.post(URL, b"{", content_type="application/json", headers=head).status_code == 400
    assert client.post(URL, b" " * 20000, content_type="application/json", headers=head).status_code == 413
    for reference in ("", "ndors-", "ndors-999999", "another-1", "ndors-1x"):
        body = {"id": notify.sent[0]["id"], "reference": reference, "status": "delivered"}
        assert client.post(URL, body, content_type="application/json", headers=head).status_code == 204
    assert Message.objects.get().delivered_at is None
