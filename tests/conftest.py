"""Fixtures that every test may use. How they work is in tests/support/; the services start in tests/support/run.py."""

import os
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import redis
from django.test import TransactionTestCase

from devtools.browser import find_chromium
from tests.support import browser, databases
from tests.support.mail import SmtpSink
from tests.support.programs import CeleryWorker, Program, Web, environment
from tests.support.stack import WEBHOOK_SECRET, Stack, place_for_stack

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from devtools.stripe_sandbox.testing import Sandbox


# --- Database and Redis ----------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """This process's database, in place of pytest-django's own."""
    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: databases.renew())
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        databases.take()
    yield
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        databases.drop()
    patch.undo()


@pytest.fixture(scope="session")
def _redis_client() -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    yield client
    client.close()


@pytest.fixture(autouse=True)
def _empty_redis(_redis_client: redis.Redis) -> None:
    """Sign-in throttles, caches and broker messages of one test are none of the next one's business."""
    _redis_client.flushdb()


# --- Outside systems -------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def _smtp_server() -> Iterator[SmtpSink]:
    sink = SmtpSink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def smtp_sink(_smtp_server: SmtpSink, settings: Any) -> SmtpSink:
    """A real SMTP server, empty; mail of this process and of the programs below goes to it."""
    _smtp_server.reset()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", _smtp_server.port
    return _smtp_server


@pytest.fixture(scope="session")
def _sandbox_process(_web_address: Web) -> Iterator["Sandbox"]:
    from devtools.stripe_sandbox.testing import Sandbox

    webhook_url = f"{_web_address.url}/payments/stripe/webhook/"
    with Sandbox(webhook_url=webhook_url, webhook_secret=WEBHOOK_SECRET) as sandbox:
        yield sandbox


@pytest.fixture
def stripe_sandbox(_sandbox_process: "Sandbox", settings: Any) -> "Sandbox":
    """The Stripe sandbox, empty; the gateway of this process and of the programs below talks to it.

    Its webhooks go to `live_web`, or nowhere when that fixture is not used.
    """
    _sandbox_process.reset()
    settings.STRIPE_API_BASE = _sandbox_process.url
    settings.STRIPE_SECRET_KEY = "sk_test_sandbox"
    settings.STRIPE_WEBHOOK_SECRETS = [WEBHOOK_SECRET]
    return _sandbox_process


# --- The portal's programs -------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def _web_address() -> Iterator[Web]:
    """A port for the web, taken but not served: other programs are told it before the web starts."""
    web = Web({})
    yield web
    web.close()


@pytest.fixture(scope="session")
def program_environment(
    django_db_setup: None, _web_address: Web, _smtp_server: SmtpSink, _sandbox_process: "Sandbox"
) -> dict[str, str]:
    """Environment for any further program of the portal that a test starts itself."""
    return environment(
        SITE_URL=_web_address.url,
        EMAIL_URL=_smtp_server.url,
        STRIPE_API_BASE=_sandbox_process.url,
        STRIPE_SECRET_KEY="sk_test_sandbox",
        STRIPE_WEBHOOK_SECRETS=WEBHOOK_SECRET,
    )


@pytest.fixture
def live_web(
    transactional_db: None,
    program_environment: dict[str, str],
    _web_address: Web,
    smtp_sink: SmtpSink,
    stripe_sandbox: "Sandbox",
    settings: Any,
) -> Web:
    """The portal under gunicorn, two processes of four threads, at `live_web.url`; `kill()` and `start()` at will.

    It stays up for the next test: a database cut off under it is what it must bear anyway.
    """
    settings.SITE_URL = _web_address.url
    if _web_address.process is None or _web_address.process.poll() is not None:
        _web_address.env = program_environment
        _web_address.start()
    return _web_address


@pytest.fixture
def start_program(transactional_db: None) -> Iterator[Callable[[Program], Program]]:
    """Starts a `Web`, `CeleryWorker`, `CeleryBeat` of tests.support.programs, ended with the test."""
    running: list[Program] = []

    def start(program: Program) -> Program:
        running.append(program)
        program.start()
        return program

    yield start
    for program in reversed(running):
        program.close() if isinstance(program, Web) else program.stop()


@pytest.fixture
def celery_worker_process(
    start_program: Callable[[Program], Program],
    program_environment: dict[str, str],
    smtp_sink: SmtpSink,
    stripe_sandbox: "Sandbox",
) -> Program:
    """A real Celery worker on all queues, two tasks at once; `kill()` and `start()` at will."""
    return start_program(CeleryWorker(program_environment))


@pytest.fixture
def stack(django_db_blocker: Any, settings: Any) -> Iterator[Stack]:
    """A whole portal of the test's own, database included, all of it running and all of it to be killed at will.

    Takes some twenty seconds: for tests of what survives a kill. Not to be used beside `db` or `live_web`.
    """
    with django_db_blocker.unblock():
        made = Stack(place_for_stack())
        try:
            made.start()
            settings.SITE_URL = made.web.url
            settings.STRIPE_API_BASE = made.sandbox.url
            settings.STRIPE_WEBHOOK_SECRETS = [WEBHOOK_SECRET]
            yield made
        finally:
            made.close()


# --- Browser ---------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """The browser itself, started once."""
    from playwright.sync_api import sync_playwright

    try:
        program = find_chromium()
    except LookupError as error:
        pytest.fail(str(error), pytrace=False)
    # Playwright keeps an event loop in this thread; Django would refuse the ORM beside it.
    patch = pytest.MonkeyPatch()
    patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=browser.arguments())
        yield chromium
        chromium.close()
    patch.undo()


@pytest.fixture
def new_page(chromium: "Browser", live_web: Web) -> Iterator[Callable[..., "Page"]]:
    """Opens a page in a browser of its own (own cookies); takes Playwright's context options.

    `new_page(java_script_enabled=False)`, `new_page(viewport={"width": 320, "height": 640})`. Relative addresses are
    the portal's.
    """
    contexts = []

    def open_page(**options: Any) -> "Page":
        context = chromium.new_context(base_url=live_web.url, locale="en-GB", timezone_id="Europe/London", **options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: Callable[..., "Page"]) -> "Page":
    """A page of a desktop browser with JavaScript, at the portal."""
    return new_page(viewport={"width": 1280, "height": 900})


# --- Order -----------------------------------------------------------------------------------------------------
# A minute or so each, and most of it waiting for programs: begun last, they would leave the other workers idle.
_LONG = (
    "payments/test_state_machine.py",
    "faults/test_killed.py",
    "devtools/test_demo_server.py",
    "devtools/test_demo_data.py",
    "ndors_portal/test_staticfiles.py",
    "browser/test_accessibility.py",
    "referrals/test_scale.py",
    "referrals/test_schemathesis.py",
    "races/test_rush.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest modules first; the others stay in the order they have."""
    items.sort(key=lambda item: not item.path.as_posix().endswith(_LONG))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what the programs wrote meanwhile."""
    report = yield
    if report.failed and hasattr(item, "funcargs"):
        given = [
            each
            for value in item.funcargs.values()
            for each in (value.programs if isinstance(value, Stack) else [value])
        ]
        for program in {id(value): value for value in given if isinstance(value, Program)}.values():
            if program.log_path.exists():
                report.sections.append((f"log of {program.name}", program.log[-6000:]))
    return report
