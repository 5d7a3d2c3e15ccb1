"""The outbox against a real mail server, also one that is down, and against several senders at once."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from audit.context import Actor
from notifications import rules, services
from notifications.channels import message_id
from notifications.constants import MessageStatus
from notifications.models import Message
from tests.support.mail import SmtpSink, words_of

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
STAFF = Actor("staff", "7")
NOTHING = {"sent": 0, "dropped": 0, "put_off": 0, "dead": 0}


def enqueue(number: int = 1, **fields: Any) -> None:
    services.enqueue(
        "test_letter",
        to=f"candidate{number}@example.org",
        dedupe_key=f"test:{number}",
        now=NOW,
        **{"context": {"day": "Monday", "name": "Jo"}, **fields},
    )


@pytest.fixture(autouse=True)
def _letter(tmp_path: Any, settings: Any) -> None:
    """A template of the tests' own, so that no message of the portal is bent for them."""
    folder = tmp_path / "email"
    folder.mkdir()
    (folder / "test_letter.subject.txt").write_text("Your course\nis on {{ day }}")
    (folder / "test_letter.body.txt").write_text("Hello {{ name }}.")
    (folder / "test_letter.html").write_text("<p>Hello {{ name }}</p>")
    templates = [dict(settings.TEMPLATES[0])]
    templates[0]["DIRS"] = [tmp_path, *templates[0]["DIRS"]]
    settings.TEMPLATES = templates


def test_a_message_is_sent_once_with_its_words_and_attachment(smtp_sink: SmtpSink) -> None:
    enqueue(
        context={"day": "Monday", "name": "Zoë O’Neil"},
        attachments=[{"name": "course.ics", "content_type": "text/calendar", "text": "BEGIN:VCALENDAR"}],
    )
    assert services.send_messages(now=NOW) == {**NOTHING, "sent": 1}
    assert services.send_messages(now=NOW) == NOTHING

    (mail,) = smtp_sink.messages
    assert mail["Subject"] == "Your course is on Monday"
    assert mail["To"] == "candidate1@example.org"
    assert mail["Message-ID"] == message_id("test:1")
    assert "Zoë O’Neil" in words_of(mail)
    assert [part.get_filename() for part in mail.iter_attachments()] == ["course.ics"]
    message = Message.objects.get()
    assert (message.status, message.sent_at, message.subject) == (MessageStatus.SENT, NOW, "Your course is on Monday")
    assert message.body == (
        "Hello Zoë O’Neil.\n\nNeed help? Ring 03069 990 100.\n\n"
        "Kent County Council\nDriver offender retraining courses\n"
    )
    assert message.version == 0


def test_a_message_that_cannot_be_put_into_words_keeps_no_other_waiting(smtp_sink: SmtpSink) -> None:
    services.enqueue(
        "no_such_letter", to="a@example.org", dedupe_key="test:0", now=NOW, context={"day": "", "name": ""}
    )
    enqueue(1)
    assert services.send_messages(now=NOW) == {**NOTHING, "sent": 1, "put_off": 1}
    stuck = Message.objects.get(dedupe_key="test:0")
    assert (stuck.status, stuck.error) == (MessageStatus.QUEUED, "cannot be put into words (TemplateDoesNotExist)")
    assert stuck.send_at == NOW + timedelta(minutes=1)
    Message.objects.filter(pk=stuck.pk).update(kind="test_letter")  # as if the letter had been written since
    assert services.send_messages(now=NOW + timedelta(minutes=1)) == {**NOTHING, "sent": 1}
    assert [mail["To"] for mail in smtp_sink.messages] == ["candidate1@example.org", "a@example.org"]


def test_enqueue_twice_under_one_key_writes_once() -> None:
    enqueue(context={"name": "first"})
    enqueue(context={"name": "second"})
    assert Message.objects.get().context == {"name": "first"}


def test_enqueue_without_an_address_writes_nothing() -> None:
    services.enqueue("test_letter", to="", dedupe_key="test:none", now=NOW)
    assert not Message.objects.exists()


def test_a_message_vanishes_with_the_change_it_tells_of() -> None:
    with transaction.atomic():
        enqueue()
        transaction.set_rollback(True)
    assert not Message.objects.exists()


def test_s21_mail_server_down_for_six_hours_each_message_goes_exactly_once(smtp_sink: SmtpSink) -> None:
    for number in range(5):
        enqueue(number)
    enqueue(99, useless_at=NOW + timedelta(hours=2))  # a reminder whose course is over before the server is back
    smtp_sink.stop()

    now = NOW
    while now < NOW + timedelta(hours=6):
        services.send_messages(now=now)
        now += timedelta(minutes=5)
    assert smtp_sink.messages == []
    assert set(Message.objects.exclude(dedupe_key="test:99").values_list("status", flat=True)) == {"QUEUED"}

    smtp_sink.start()
    for step in range(10):
        services.send_messages(now=now + timedelta(minutes=2 * step))
    assert sorted(mail["To"] for mail in smtp_sink.messages) == [f"candidate{n}@example.org" for n in range(5)]
    dropped = Message.objects.get(dedupe_key="test:99")
    assert (dropped.status, dropped.error) == (MessageStatus.DROPPED, "no longer useful: its time had passed")


def test_a_refused_address_is_given_up_at_once_and_can_be_sent_again(smtp_sink: SmtpSink) -> None:
    smtp_sink.answer = "550 No such person"
    enqueue()
    assert services.send_messages(now=NOW) == {**NOTHING, "dead": 1}
    assert services.send_messages(now=NOW + timedelta(days=1)) == NOTHING
    assert Message.objects.get().error == "the mail server refused the message (550)"

    smtp_sink.answer = ""
    assert services.send_again(message_id=Message.objects.get().pk, by=STAFF, now=NOW) is True
    assert services.send_again(message_id=Message.objects.get().pk, by=STAFF, now=NOW) is False
    assert services.send_messages(now=NOW) == {**NOTHING, "sent": 1}


def test_a_busy_server_puts_the_message_off(smtp_sink: SmtpSink) -> None:
    smtp_sink.answer = "451 Come back later"
    enqueue()
    assert services.send_messages(now=NOW) == {**NOTHING, "put_off": 1}
    message = Message.objects.get()
    assert (message.status, message.attempts, message.send_at) == (
        MessageStatus.QUEUED,
        1,
        NOW + timedelta(seconds=60),
    )
    assert services.send_messages(now=NOW + timedelta(seconds=59)) == NOTHING


def test_a_message_to_be_sent_later_waits(smtp_sink: SmtpSink) -> None:
    enqueue(send_at=NOW + timedelta(hours=1))
    assert services.send_messages(now=NOW) == NOTHING
    assert services.send_messages(now=NOW + timedelta(hours=1)) == {**NOTHING, "sent": 1}


def test_withdraw_drops_what_waits_and_leaves_what_is_sent(smtp_sink: SmtpSink) -> None:
    enqueue(1)
    services.send_messages(now=NOW)
    enqueue(2)
    assert services.withdraw(dedupe_keys=["test:1", "test:2", "test:3"], now=NOW) == 1
    assert list(Message.objects.order_by("pk").values_list("status", flat=True)) == ["SENT", "DROPPED"]


def test_a_sender_that_died_leaves_a_claim_that_runs_out(smtp_sink: SmtpSink) -> None:
    enqueue()
    Message.objects.update(claimed_until=NOW + timedelta(seconds=60), attempts=1)
    assert services.send_messages(now=NOW) == NOTHING
    assert services.send_messages(now=NOW + timedelta(seconds=61)) == {**NOTHING, "sent": 1}


def test_four_senders_at_once_send_each_message_once(smtp_sink: SmtpSink) -> None:
    for number in range(40):
        enqueue(number)
    barrier = threading.Barrier(4)

    def send() -> None:
        barrier.wait()
        while any(services.send_messages(now=NOW, limit=3).values()):
            pass
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(mail["To"] for mail in smtp_sink.messages) == sorted(f"candidate{n}@example.org" for n in range(40))


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 60), (2, 120), (5, 900), (250, 900)])
def test_next_try_grows_to_a_quarter_hour(attempts: int, seconds: int) -> None:
    assert rules.next_try_at(attempts=attempts, now=NOW) == NOW + timedelta(seconds=seconds)
