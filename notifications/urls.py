from django.urls import path

from notifications import views

app_name = "notifications"
urlpatterns = [path("notify/receipt/", views.notify_receipt, name="notify_receipt")]
