"""Static files: only what pages load is taken from GOV.UK Frontend, and module imports get hashed names."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.files.storage import FileSystemStorage, Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

PREFIX = "govuk"
# The source maps are named by the two files and so must be found when these are hashed. Fonts and the crest stay
# behind on purpose: Kent County Council has no licence for either.
FILES = (
    "govuk-frontend.min.css",
    "govuk-frontend.min.css.map",
    "govuk-frontend.min.js",
    "govuk-frontend.min.js.map",
)


class GovukFrontendFinder(BaseFinder):
    """Finds the four files under `govuk/` in GOV.UK Frontend's `dist`, out of its several hundred."""

    def __init__(self, app_names: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.storage = FileSystemStorage(location=settings.GOVUK_DIST)
        self.storage.prefix = PREFIX  # type: ignore[attr-defined]  # collectstatic reads it from the storage

    def check(self, **kwargs: Any) -> list[Any]:
        """Nothing to check; a missing file is reported by collectstatic."""
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """The file's place on disk (in a list with `find_all`), or an empty list."""
        prefix, _, name = path.replace("\\", "/").partition("/")
        if prefix != PREFIX or name not in FILES or not self.storage.exists(name):
            return []
        found = self.storage.path(name)
        return [found] if find_all else found

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, Storage]]:
        """The four files, with the storage to open them from."""
        for name in FILES:
            if not matches_patterns(name, ignore_patterns or []):
                yield name, self.storage


class PortalStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Hashed, compressed files; `import ... from "./x.js";` in our own modules follows the hashed names.

    Django's `support_js_module_import_aggregation` would do so for every script and stumbles over libraries' comments.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("js/*.js", ((r"""(?P<matched>from\s+["'](?P<url>\.{1,2}/[^"']+)["'];)""", 'from "%(url)s";'),)),
    )
