"""The portal's addresses: four doors, each one app's (docs/architecture.md)."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from ndors_portal import api_docs, errors, health

urlpatterns = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("admin/", admin.site.urls),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("police/", include("referrals.urls")),
    path("api/v1/", include("referrals.api.urls")),
    path("api/schema/", api_docs.SchemaView.as_view(), name="api-schema"),
    path("api/docs/", api_docs.page, name="api-docs"),
    path("trainer/", include("rosters.urls")),
    path("payments/", include("payments.urls")),
    path("notifications/", include("notifications.urls")),
    path("", include("ndors_portal.statements")),
    path("", include("bookings.urls")),
]

if settings.DEMO:
    urlpatterns.insert(0, path("dev/", include("devtools.urls")))

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error
