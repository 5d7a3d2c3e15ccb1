"""The task that sends, taking turns: a large batch's letters must not keep what else there is to do waiting."""

from collections.abc import Iterator

import pytest
from celery import Celery, current_app

from common import clock
from notifications import jobs, services
from notifications.catalogue import KINDS
from notifications.constants import MessageStatus
from notifications.models import Message
from tests.support.mail import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broker() -> Iterator[Celery]:
    """A broker that no worker listens to."""
    before = current_app._get_current_object()  # type: ignore[attr-defined]  # what the proxy stands for
    app = Celery("unheard", broker="memory://", set_as_current=False)
    app.set_current()
    yield app
    before.set_current()


def waiting(broker: Celery) -> int:
    with broker.connection_for_write() as connection:
        return int(connection.default_channel.queue_declare("mail").message_count)


def test_a_run_that_is_not_done_makes_room_and_goes_on_later(
    broker: Celery, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "RUN_SECONDS", 0.0)
    for number in range(services.MOST_AT_ONCE + 5):
        services.enqueue(
            "confirmation",
            to=f"candidate{number}@example.org",
            dedupe_key=f"confirmation:{number}",
            now=clock.now(),
            context=KINDS["confirmation"].sample,
        )
    with broker.connection_for_write() as connection:
        connection.default_channel.queue_purge("mail")  # what enqueueing rang
    jobs.send_messages()
    assert (Message.objects.filter(status=MessageStatus.QUEUED).count(), waiting(broker)) == (5, 1)
    jobs.send_messages()
    assert (Message.objects.filter(status=MessageStatus.QUEUED).count(), waiting(broker)) == (0, 1)
