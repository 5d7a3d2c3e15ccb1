"""Addresses of the trainers' door, below /trainer/."""

from django.urls import path

from rosters import views

app_name = "rosters"

urlpatterns = [
    path("", views.courses, name="courses"),
    path("sessions/<int:session_id>/", views.roster, name="roster"),
    path("sessions/<int:session_id>/clients/<int:booking_id>/", views.mark, name="mark"),
    path("sessions/<int:session_id>/close/", views.close, name="close"),
]
