"""The test harness itself: what it promises to every other test."""

import os
import socket
import urllib.request
from email.message import EmailMessage
from smtplib import SMTP

import pytest
import redis
from django.contrib.auth import get_user_model
from django.db import connection

from tests.support import databases, programs
from tests.support.loopback import OutsideAddressError
from tests.support.mail import SmtpSink


@pytest.mark.django_db
def test_database_is_this_process_own() -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        assert cursor.fetchone() == (databases.current_name(),)
    assert databases.current_name().startswith(f"test_ndors_{worker}_")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_database_after_a_commit_is_fresh_again(turn: int) -> None:
    users = get_user_model().objects
    assert users.count() == 0
    users.create_user(username="someone")
    connection.close()
    assert users.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_database_after_a_commit_keeps_what_migrations_put_there(turn: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) > 0 FROM django_content_type")
        assert cursor.fetchone() == (True,)
        cursor.execute("DELETE FROM auth_permission")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_database_after_a_change_of_the_schema_has_the_old_one_again(turn: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgenabled = 'D'")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT conname FROM pg_constraint WHERE conname = 'accounts_superuser_is_staff'")
        assert cursor.fetchall() == [("accounts_superuser_is_staff",)]
        cursor.execute("ALTER TABLE accounts_user DROP CONSTRAINT accounts_superuser_is_staff")
        cursor.execute("ALTER TABLE accounts_user DISABLE TRIGGER USER")


@pytest.mark.parametrize("turn", [1, 2])
def test_redis_is_empty_before_each_test(turn: int) -> None:
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    assert client.dbsize() == 0
    client.set("left", "over")
    client.close()


def test_sockets_only_reach_this_machine() -> None:
    with socket.socket() as outside, pytest.raises(OutsideAddressError):
        outside.connect(("192.0.2.1", 80))
    with pytest.raises(OutsideAddressError):
        urllib.request.urlopen("http://192.0.2.1/", timeout=1)


def test_smtp_sink_keeps_refuses_and_goes_down(smtp_sink: SmtpSink) -> None:
    message = EmailMessage()
    message["Subject"], message["To"] = "Your course", "someone@example.org"
    message.set_content("Zoë, it is at 09:00.")
    with SMTP("127.0.0.1", smtp_sink.port) as client:
        client.send_message(message, "us@example.org")
    (kept,) = smtp_sink.wait_for(1)
    assert (kept["Subject"], kept.get_content()) == ("Your course", "Zoë, it is at 09:00.\n")
    smtp_sink.stop()
    with pytest.raises(ConnectionRefusedError):
        SMTP("127.0.0.1", smtp_sink.port)
    smtp_sink.start()
    SMTP("127.0.0.1", smtp_sink.port).close()


def test_live_web_serves_this_process_database(live_web: programs.Web) -> None:
    with urllib.request.urlopen(f"{live_web.url}/healthz", timeout=5) as answer:
        assert answer.status == 200
    live_web.kill()
    with pytest.raises(OSError, match="timed out"):
        urllib.request.urlopen(f"{live_web.url}/healthz", timeout=0.2)
    live_web.start()


def test_celery_worker_works_on_the_queues(celery_worker_process: programs.Program) -> None:
    from ndors_portal.celery import app

    app.send_task("ndors_portal.jobs.heartbeat", queue="default")
    celery_worker_process.wait_for_log(r"heartbeat.* succeeded")


@pytest.mark.browser
def test_page_opens_the_portal_and_nothing_else(page, live_web: programs.Web) -> None:  # type: ignore[no-untyped-def]
    assert page.goto("/healthz").status == 200
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("http://example.org/")
