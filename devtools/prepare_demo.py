"""What the demo needs before it serves: a migrated database with data in it, and collected static files."""

import hashlib
import os
import sys
from pathlib import Path

import django


def main() -> None:
    """Do the parts that the command line names: `data`, `static`; `--without-data` leaves the database empty."""
    django.setup()
    if "data" in sys.argv:
        prepare_data(with_data="--without-data" not in sys.argv)
    if "static" in sys.argv:
        collect_static()


def prepare_data(*, with_data: bool) -> None:
    """Migrate, and load the demo where the database is empty."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    if with_data:
        call_command("load_demo")


def collect_static() -> None:
    """Collect the static files again if any of them has changed."""
    from django.conf import settings
    from django.core.management import call_command

    stamp = Path(settings.STATIC_ROOT).with_suffix(".stamp")
    now = fingerprint(Path(settings.BASE_DIR))
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != now:
        stamp.unlink(missing_ok=True)
        call_command("collectstatic", verbosity=0, interactive=False, clear=True)
        stamp.write_text(now, encoding="utf-8")


def fingerprint(root: Path) -> str:
    """Changes with every static file of ours and with every library that may bring some."""
    digest = hashlib.sha256()
    locks = [root / "requirements" / "dev.txt", root / "package-lock.json", root / "ndors_portal" / "staticfiles.py"]
    ours = [path for folder in (root / "static", *root.glob("*/static")) for path in folder.rglob("*")]
    for path in sorted({*locks, *ours}):
        if path.is_file():
            digest.update(str(path.relative_to(root)).encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ndors_portal.settings.dev")
    main()
