"""Where a user goes after signing in; signing in itself is django-allauth's."""

from django.urls import path

from accounts import views

app_name = "accounts"

urlpatterns = [path("home/", views.home, name="home")]
