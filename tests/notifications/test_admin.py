"""Words edited in admin, and the people who could not be told."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import Role, User
from audit.context import Actor
from audit.models import AuditEvent
from common import clock
from notifications import selectors, services
from notifications.catalogue import KINDS
from notifications.constants import Channel, MessageStatus
from notifications.errors import NoteNeededError, StaleWordsError, UnfitWordsError
from notifications.models import Message, TemplateVersion
from notifications.rules import Words
from tests.support.mail import SmtpSink

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
STAFF = Actor("staff", "7")
EDIT = "/admin/notifications/templateversion/words/hold_lapsed/EMAIL/"
WORDS = Words(subject="Your place has gone", body="Hello {{ name }}.", html="<p>Hello {{ name }}.</p>")
FIELDS = {"subject": WORDS.subject, "body": WORDS.body, "html": WORDS.html, "instead_of": 0}


@pytest.fixture
def staff(client: Client) -> Client:
    """Signed in as somebody who may do everything."""
    client.force_login(User.objects.create_superuser("boss", password="demo", role=Role.MANAGER))
    return client


def someone(client: Client, *permissions: str) -> Client:
    user = User.objects.create_user("clerk-x", password="demo", role=Role.CLERK, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def publish(words: Words = WORDS, instead_of: int = 0, now: datetime = NOW) -> TemplateVersion:
    return services.publish(
        kind="hold_lapsed", channel=Channel.EMAIL, words=words, instead_of=instead_of, by=STAFF, now=now
    )


def dead(**fields: Any) -> Message:
    return Message.objects.create(
        kind="confirmation", to="zoe@example.org", dedupe_key="dead:1", referral_key="46/46TEST0001", created_at=NOW,
        send_at=NOW, status=MessageStatus.DEAD, attempts=1, error="refused", context=KINDS["confirmation"].sample,
        **fields,
    )  # fmt: skip


def test_new_words_are_looked_at_compared_and_published(staff: Client) -> None:
    page = staff.get(EDIT)
    assert page.status_code == 200
    assert "Your driver course is not booked yet" in page.content.decode()

    page = staff.post(EDIT, {**FIELDS, "look": "1"})
    text = page.content.decode()
    assert page.status_code == 200
    assert "<del>Your driver course is not booked yet</del>" in text
    assert "<ins>Your place has gone</ins>" in text
    assert "Hello Zoë O’Neil." in text
    assert not TemplateVersion.objects.exists()

    assert staff.post(EDIT, {**FIELDS, "publish": "1"}).status_code == 302
    version = TemplateVersion.objects.get()
    assert (version.version, version.subject, version.body) == (1, "Your place has gone", "Hello {{ name }}.\n")
    assert AuditEvent.objects.filter(action="words.published").count() == 1
    assert "Version 1</a>" in staff.get(EDIT).content.decode()
    assert "1, by staff:" in staff.get("/admin/notifications/templateversion/words/").content.decode()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"body": "Hello {{ nmae }}"}, "placeholders that this message does not know: “nmae”"),
        ({"body": "{% if name %}Hello"}, "has no “endif”"),
        ({"subject": "Your speeding course"}, "must not tell of the offence"),
        ({"html": "<img src='x'>"}, "&lt;img&gt; is not allowed"),
        ({"body": ""}, "This field is required"),
    ],
)
def test_unfit_words_are_shown_again_with_what_is_wrong(staff: Client, changes: dict[str, str], told: str) -> None:
    events = AuditEvent.objects.count()
    page = staff.post(EDIT, {**FIELDS, **changes, "publish": "1"})
    assert told in page.content.decode()
    assert (TemplateVersion.objects.count(), AuditEvent.objects.count()) == (0, events)


def test_words_published_meanwhile_are_not_overwritten(staff: Client) -> None:
    publish(now=clock.now())
    page = staff.post(EDIT, {**FIELDS, "publish": "1"})
    assert "Someone else published new words meanwhile" in page.content.decode()
    with pytest.raises(StaleWordsError):
        publish(now=clock.now())
    assert TemplateVersion.objects.count() == 1


def test_services_refuse_unfit_words_by_themselves() -> None:
    with pytest.raises(UnfitWordsError) as refused:
        publish(Words("", "{{ secret }}", "<p>x</p>"))
    assert refused.value.problems == [
        "The subject is empty.",
        "The text has placeholders that this message does not know: “secret”.",
    ]


def test_a_published_version_is_never_changed() -> None:
    version = publish()
    with pytest.raises(IntegrityError), transaction.atomic():
        TemplateVersion.objects.filter(pk=version.pk).update(body="other")
    with pytest.raises(IntegrityError), transaction.atomic():
        version.delete()


def test_a_message_goes_with_the_live_version_and_keeps_which(smtp_sink: SmtpSink) -> None:
    services.enqueue("hold_lapsed", to="a@example.org", dedupe_key="x:1", now=NOW, context=KINDS["hold_lapsed"].sample)
    publish(now=NOW)
    publish(Words("Later", "Later.", "<p>Later.</p>"), instead_of=1, now=NOW)
    services.send_messages(now=NOW)
    message = Message.objects.get()
    assert (message.version, message.subject) == (2, "Later")
    assert smtp_sink.messages[0]["Subject"] == "Later"
    assert selectors.live_words("hold_lapsed", Channel.SMS, now=NOW)[1] == 0


def test_a_text_message_has_its_own_words(staff: Client) -> None:
    url = EDIT.replace("EMAIL", "SMS")
    assert staff.post(url, {"body": "Gone, {{ name }}.", "instead_of": 0, "publish": "1"}).status_code == 302
    assert TemplateVersion.objects.get().channel == Channel.SMS
    for wrong in ("batch_receipt/SMS", "no_such/EMAIL", "hold_lapsed/FAX"):
        assert staff.get(f"/admin/notifications/templateversion/words/{wrong}/").status_code == 404


def test_who_may_only_look_publishes_nothing(client: Client) -> None:
    someone(client, "view_templateversion")
    assert "Publish" not in client.post(EDIT, {**FIELDS, "look": "1"}).content.decode()
    assert client.post(EDIT, {**FIELDS, "publish": "1"}).status_code == 403
    assert not TemplateVersion.objects.exists()


def test_who_may_not_even_look_sees_nothing(client: Client) -> None:
    dead()
    someone(client)
    for url in (EDIT, "/admin/notifications/templateversion/words/", "/admin/notifications/untold/"):
        assert client.get(url).status_code == 403
    assert client.post(f"/admin/notifications/untold/{Message.objects.get().pk}/act/").status_code == 403


def test_who_could_not_be_told_is_told_by_phone(staff: Client) -> None:
    message = dead()
    page = staff.get("/admin/notifications/untold/")
    assert "zoe@example.org" in page.content.decode()
    act = f"/admin/notifications/untold/{message.pk}/act/"
    assert "It could not be delivered: refused." in " ".join(staff.get(act).content.decode().split())

    assert staff.post(act, {"act": "told", "note": " "}).status_code == 200
    message.refresh_from_db()
    assert message.told_at is None
    assert staff.post(act, {"act": "told", "note": "Rang on Monday"}).status_code == 302
    message.refresh_from_db()
    assert (message.told_note, message.status, message.told_by[:6]) == ("Rang on Monday", MessageStatus.DEAD, "staff:")
    event = AuditEvent.objects.get(action="message.told_otherwise")
    assert (event.referral_key, event.reason) == ("46/46TEST0001", "Rang on Monday")
    assert "zoe@example.org" not in staff.get("/admin/notifications/untold/").content.decode()
    assert staff.get(act).status_code == 404


def test_who_could_not_be_told_is_written_to_at_another_address(staff: Client, smtp_sink: SmtpSink) -> None:
    message = dead()
    act = f"/admin/notifications/untold/{message.pk}/act/"
    assert staff.post(act, {"act": "again", "to": "new@example.org"}).status_code == 302
    assert services.send_messages(now=clock.now())["sent"] == 1
    assert smtp_sink.messages[0]["To"] == "new@example.org"
    assert AuditEvent.objects.filter(action="message.sent_again").count() == 1


def test_told_otherwise_refuses_silence_and_does_nothing_twice() -> None:
    message = dead()
    with pytest.raises(NoteNeededError):
        services.told_otherwise(message_id=message.pk, note="", by=STAFF, now=NOW)
    assert services.told_otherwise(message_id=message.pk, note="Rang", by=STAFF, now=NOW) is True
    assert services.told_otherwise(message_id=message.pk, note="Rang again", by=STAFF, now=NOW) is False
    assert services.send_again(message_id=message.pk, by=STAFF, now=NOW) is False
    assert AuditEvent.objects.filter(action__startswith="message.").count() == 1


def test_a_rule_of_reminders_is_ended_not_edited(staff: Client) -> None:
    rule = services_rule()
    page = staff.get(f"/admin/notifications/reminderrule/{rule}/change/")
    assert page.status_code == 200
    assert 'name="valid_to"' in page.content.decode()
    assert 'name="hours"' not in page.content.decode()


def services_rule() -> int:
    from notifications.models import ReminderRule

    return ReminderRule.objects.get(kind="reminder_2h").pk
