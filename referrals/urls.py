"""Addresses of the police's door, below /police/."""

from django.urls import path, register_converter

from referrals import views
from referrals.views.reference import ReferenceConverter

app_name = "police"

register_converter(ReferenceConverter, "reference")

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("upload/", views.upload, name="upload"),
    path("upload/columns/", views.columns, name="columns"),
    path("upload/empty.xlsx", views.blank, name="blank"),
    path("batches/", views.batches, name="batches"),
    path("batches/<uuid:batch_id>/", views.batch, name="batch"),
    path("batches/<uuid:batch_id>/progress/", views.batch_progress, name="batch_progress"),
    path("batches/<uuid:batch_id>/rows/", views.batch_rows, name="batch_rows"),
    path("batches/<uuid:batch_id>/rejected.csv", views.rejected, name="rejected"),
    path("decisions/", views.decisions, name="decisions"),
    path("decisions/<int:row_id>/", views.decide, name="decide"),
    path("referrals/", views.search, name="search"),
    path("referrals/<reference:reference>/withdraw/", views.withdraw, name="withdraw"),
    path("referrals/<reference:reference>/extend/", views.extend, name="extend"),
    path("referrals/open/", views.open_offers, name="open_offers"),
    path("referrals/to-decide/", views.to_decide, name="to_decide"),
    path("referrals/<reference:reference>/course/", views.course, name="course"),
    path("referrals/<reference:reference>/note/", views.note, name="note"),
    path("referrals/<reference:reference>/", views.referral, name="referral"),
    path("returns/", views.returns, name="returns"),
    path("returns/<int:return_id>/outcomes.csv", views.return_file, name="return_file"),
    path("returns/<int:return_id>/manifest.json", views.return_manifest, name="return_manifest"),
    path("forecasts/", views.forecasts, name="forecasts"),
]
