"""The project's own files, as the tests of its shape read them."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("accounts", "audit", "notifications", "courses", "referrals", "payments", "bookings", "rosters", "oversight")
PACKAGES = ("common", *APPS, "ndors_portal", "devtools")
_NOT_OURS = {".git", ".venv", ".local", "node_modules", "__pycache__"}


def all_files() -> list[Path]:
    """Every file that is or will be in the repository; without git, every file that could be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0 and listed.stdout:
        paths = [ROOT / line for line in listed.stdout.splitlines()]
    else:
        paths = [path for path in ROOT.rglob("*") if not _NOT_OURS & set(path.relative_to(ROOT).parts)]
    return sorted(path for path in paths if path.is_file())


def python_files(*packages: str) -> list[Path]:
    """Python sources of these packages, migrations left out."""
    wanted = packages or (*PACKAGES, "tests")
    return [
        path
        for path in all_files()
        if path.suffix == ".py"
        and path.relative_to(ROOT).parts[0] in wanted
        and "migrations" not in path.relative_to(ROOT).parts
    ]


def modules_named(*names: str) -> Iterator[tuple[str, ast.Module]]:
    """The apps' modules of these names, whether a file or a package: (path from the root, syntax tree)."""
    for path in python_files("common", *APPS):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if len(parts) > 1 and parts[1] in names:
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))
