"""Loading the demo: once, into an empty database."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from celery import Celery, current_app
from django.conf import settings
from django.db import connection

from accounts.models import User
from audit.models import AuditEvent
from common.clock import london_day
from devtools.demo.candidates import Payer
from devtools.demo.staff import ADMIN, make_admin, make_staff
from devtools.demo.story import Story


class NotEmptyError(Exception):
    """The database holds something and is not a finished demo."""


def is_loaded() -> bool:
    """Whether the demo is there: the administrator's account is made last."""
    return User.objects.filter(username=ADMIN).exists()


def load(*, now: dt.datetime, say: Callable[[str], None]) -> None:
    """Play the story up to `now`. Raises NotEmptyError where somebody was here before."""
    if User.objects.exists() or AuditEvent.objects.exists():
        raise NotEmptyError
    with connection.cursor() as cursor:
        # A load that a power cut ends is begun anew anyway: no need to wait for the disk at each of its steps.
        cursor.execute("SET synchronous_commit = off")
    staff = make_staff(today=london_day(now))
    url = settings.STRIPE_API_BASE
    if not url:
        say("no Stripe sandbox: nobody books in this demo")
    with Payer(url) if url else nullcontext() as payer, bells_unheard():
        Story(now=now, staff=staff, payer=payer, say=say).play()
    make_admin()


@contextmanager
def bells_unheard() -> Iterator[None]:
    """Ring no worker: none is up yet, and thousands of old bells would only keep it busy. Beat looks anyway."""
    before = current_app._get_current_object()  # type: ignore[attr-defined]  # what the proxy stands for
    Celery("demo", broker="memory://localhost/", set_as_current=False).set_current()
    try:
        yield
    finally:
        before.set_current()
