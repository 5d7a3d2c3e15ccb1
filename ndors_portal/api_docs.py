"""The API's description, and a page to try it on: Swagger UI from its package, nothing from other hosts."""

from collections.abc import Callable
from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.response import Response

from referrals.api.problems import answer


class SchemaView(SpectacularAPIView):
    """The description in YAML or JSON."""

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Problems, as everywhere below /api/."""
        return answer


# Swagger UI writes style attributes; its script comes from our own address, as everywhere.
page = csp_update({"style-src": [SELF, UNSAFE_INLINE]})(SpectacularSwaggerSplitView.as_view(url_name="api-schema"))
