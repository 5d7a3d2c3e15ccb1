"""The admin site of KCC's staff: stock Django admin under the portal's own name."""

from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class AdminConfig(DjangoAdminConfig):
    default_site = "ndors_portal.admin.StaffSite"
