"""`make test`: linters, types, contracts and migrations, then every test. Ends with pytest's summary."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# `check --deploy` reads the production settings, which have no defaults; nothing here is ever connected to.
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "ndors_portal.settings.base",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ALLOWED_HOSTS": "courses.example.org",
    "SITE_URL": "https://courses.example.org",
    "DATABASE_URL": "postgres://nobody:nothing@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "FIELD_ENCRYPTION_KEYS": "ZGV2ZWxvcG1lbnQtb25seS1kZXZlbG9wbWVudC1vbmw=",
    "LOOKUP_PEPPER": "only-for-the-check",
    "STRIPE_SECRET_KEY": "sk_test_only_for_the_check",
    "STRIPE_WEBHOOK_SECRETS": "whsec_only_for_the_check",
    "EMAIL_URL": "smtp+tls://127.0.0.1:1",
    "DEFAULT_FROM_EMAIL": "courses@example.org",
    "MEDIA_ROOT": str(ROOT / ".local" / "media"),
}


@dataclass(frozen=True)
class Check:
    """One command that must end with 0."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


TEST_SETTINGS = {"DJANGO_SETTINGS_MODULE": "ndors_portal.settings.test"}
# The longest comes first, so that the short ones run beside it.
CHECKS = (
    Check("types (mypy)", ("-m", "mypy", ".")),
    Check("lint (ruff)", ("-m", "ruff", "check", ".")),
    Check("format (ruff)", ("-m", "ruff", "format", "--check", ".")),
    Check("imports (import-linter)", ("-c", "from importlinter.cli import lint_imports_command as main; main()")),
    Check("templates (djlint)", ("-m", "djlint", "templates", "--lint", "--check")),
    Check("migrations are complete", ("-m", "django", "makemigrations", "--check", "--dry-run"), TEST_SETTINGS),
    Check("production settings", ("-m", "django", "check", "--deploy", "--fail-level", "WARNING"), PRODUCTION),
)


@dataclass(frozen=True)
class Result:
    """How a check ended."""

    check: Check
    output: str
    seconds: float
    passed: bool


def run(check: Check) -> Result:
    """Run one check."""
    began = time.monotonic()
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **check.env}
    command = [sys.executable, "-W", "ignore::RuntimeWarning", *check.command]
    done = subprocess.run(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return Result(check, done.stdout, time.monotonic() - began, done.returncode == 0)


def main() -> int:
    """Run everything; 0 only when all of it passed."""
    failed = []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        for result in pool.map(run, CHECKS):
            print(
                f"{'ok    ' if result.passed else 'FAILED'} {result.check.name} ({result.seconds:.1f} s)", flush=True
            )
            if not result.passed:
                failed.append(result.check.name)
                print(result.output.rstrip(), flush=True)
    if failed:
        print(f"\nFAILED: {', '.join(failed)}. The tests follow.\n", flush=True)
    try:
        tests = subprocess.run([sys.executable, "-m", "pytest", "-n", "auto"], cwd=ROOT, check=False)
    except KeyboardInterrupt:  # pytest was told as well and has said its last words
        return 130
    return tests.returncode or int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
