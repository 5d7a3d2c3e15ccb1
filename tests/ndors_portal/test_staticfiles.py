"""What is served as static files: hashed, without the font and the crest that KCC may not use."""

import io
import json
import re
from pathlib import Path
from typing import Any

from django.conf import settings as project
from django.contrib.staticfiles import finders
from django.core.management import call_command

GOVUK_FILES = {
    "govuk/govuk-frontend.min.css",
    "govuk/govuk-frontend.min.css.map",
    "govuk/govuk-frontend.min.js",
    "govuk/govuk-frontend.min.js.map",
}


def test_only_the_needed_files_of_govuk_frontend_are_found() -> None:
    finder = finders.get_finder("ndors_portal.staticfiles.GovukFrontendFinder")
    assert {f"govuk/{name}" for name, _ in finder.list([])} == GOVUK_FILES
    assert finders.find("govuk/assets/fonts/light-94a07e06a1-v2.woff2") is None
    assert finders.find("govuk/assets/images/govuk-crest.svg") is None
    assert not finder.find("govuk/../../../package.json")
    assert finders.find("govuk/govuk-frontend.min.css", find_all=True) == [
        str(project.GOVUK_DIST / "govuk-frontend.min.css")
    ]


def test_collected_files_are_hashed_and_light(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    del settings.WHITENOISE_SKIP_COMPRESS_EXTENSIONS  # the demo's shortcut; production compresses
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "ndors_portal.staticfiles.PortalStaticFilesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0, stdout=io.StringIO())
    paths = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    assert set(paths) >= GOVUK_FILES | {"css/portal.css", "js/portal.js", "img/favicon.svg"}
    assert [name for name in paths if name.startswith("govuk/") and name not in GOVUK_FILES] == []
    script = (tmp_path / paths["js/portal.js"]).read_text()
    assert f'from "../{paths["govuk/govuk-frontend.min.js"]}";' in script
    loaded = ["govuk/govuk-frontend.min.css", "govuk/govuk-frontend.min.js", "css/portal.css", "js/portal.js"]
    compressed = sum((tmp_path / f"{paths[name]}.gz").stat().st_size for name in loaded)
    assert compressed < 35_000  # leaves 25 KB of the 60 for the page itself


def test_every_element_that_govuk_would_set_in_its_font_is_set_in_ours() -> None:
    theirs = (project.GOVUK_DIST / "govuk-frontend.min.css").read_text()
    ours = (Path(project.BASE_DIR) / "static/css/portal.css").read_text()
    ours_rule = re.search(r"([^{}]+)\{\s*font-family: var\(--portal-font\);\s*\}", ours.split("/* Header */")[0])
    assert ours_rule is not None
    named = {selector.strip() for selector in ours_rule[1].split(",")}
    asked: set[str] = set()
    for rule in re.finditer(r"([^{}]+)\{[^{}]*font-family:GDS Transport,", theirs):
        asked.update(selector.strip() for selector in rule[1].split(","))
    assert len(asked) > 50
    # One class of theirs has the weight of our attribute selectors, which come later; anything heavier is named.
    heavier = {selector for selector in asked if not re.fullmatch(r"\.govuk-[\w-]+", selector)}
    assert heavier - named == set()
    assert {'[class^="govuk-"]', '[class*=" govuk-"]', "body"} <= named
