"""Pages of the demo alone, below /dev/."""

from django.urls import path

from devtools import views

app_name = "devtools"

urlpatterns = [
    path("mail/", views.mailbox, name="mailbox"),
    path("mail/<slug:name>/", views.letter, name="letter"),
    path("mail/<slug:name>/<int:number>/", views.attachment, name="attachment"),
]
