"""One process that makes the demo's database and static files ready: migrations, demo data, collected files."""

import hashlib
import os
import sys
from pathlib import Path

import django


def main() -> None:
    """Migrate, load the demo where the database is empty, collect static files where they have changed."""
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    if "--without-data" not in sys.argv:
        call_command("load_demo")
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
