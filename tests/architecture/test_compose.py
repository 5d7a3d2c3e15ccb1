"""The compose file as its own program reads it."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent


def config() -> dict[str, dict[str, dict[str, object]]]:
    """What `docker-compose config` makes of the file: merged, with every reference resolved."""
    program = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]
    if not shutil.which(program[0]):
        pytest.fail("docker-compose is not on PATH: `make test` installs it on Debian", pytrace=False)
    done = subprocess.run([*program, "config"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, dict[str, dict[str, object]]] = yaml.safe_load(done.stdout)
    return found


def test_compose_config_is_clean_and_every_service_is_watched_and_bounded() -> None:
    services = config()["services"]
    assert set(services) == {"db", "redis", "pgbouncer", "migrate", "web", "worker", "beat", "proxy"}
    # The one-shot migration ends by itself; everything else says how to see that it is well.
    assert {name for name, service in services.items() if "healthcheck" not in service} == {"migrate"}
    assert all("limits" in str(service["deploy"]) for service in services.values())
    # Nothing but the proxy is reached from outside.
    assert {name for name, service in services.items() if service.get("ports")} == {"proxy"}


def test_compose_hands_secrets_over_as_files_alone() -> None:
    for service in config()["services"].values():
        environment = service.get("environment") or {}
        assert isinstance(environment, dict)
        for name in ("SECRET_KEY", "LOOKUP_PEPPER", "FIELD_ENCRYPTION_KEYS", "STRIPE_SECRET_KEY", "POSTGRES_PASSWORD"):
            assert name not in environment
