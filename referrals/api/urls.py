"""Addresses below /api/v1/."""

from django.urls import path, register_converter

from referrals.api import views
from referrals.views.reference import ReferenceConverter

app_name = "api"

register_converter(ReferenceConverter, "force_reference")

urlpatterns = [
    path("batches/", views.BatchesView.as_view(), name="batches"),
    path("batches/<uuid:batch_id>/", views.BatchView.as_view(), name="batch"),
    path("batches/<uuid:batch_id>/rows/", views.RowsView.as_view(), name="rows"),
    path("batches/<uuid:batch_id>/rejected.csv", views.RejectedView.as_view(), name="rejected"),
    path("referrals/<force_reference:reference>/withdraw/", views.WithdrawView.as_view(), name="withdraw"),
    path("referrals/<force_reference:reference>/extend/", views.ExtendView.as_view(), name="extend"),
    path("referrals/<force_reference:reference>/", views.ReferralView.as_view(), name="referral"),
    path("outcomes/", views.OutcomesView.as_view(), name="outcomes"),
    path("outcomes/acknowledge/", views.AcknowledgeView.as_view(), name="acknowledge"),
]
