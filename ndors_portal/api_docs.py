"""The API's documentation as a page that can be tried: Swagger UI from its package, nothing from other hosts."""

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from drf_spectacular.views import SpectacularSwaggerSplitView

# Swagger UI writes style attributes; its script comes from our own address, as everywhere.
page = csp_update({"style-src": [SELF, UNSAFE_INLINE]})(SpectacularSwaggerSplitView.as_view(url_name="api-schema"))
