"""The candidate's addresses, from the root."""

from django.urls import path

from bookings.views import choosing, in_touch, late, making, managing, moving, needing, paying_by_link, signing_in

app_name = "bookings"

urlpatterns = [
    path("", signing_in.start, name="start"),
    path("sign-in/", signing_in.sign_in, name="sign_in"),
    path("sign-out/", signing_in.sign_out, name="sign_out"),
    path("signed-out/", signing_in.signed_out, name="signed_out"),
    path("timed-out/", signing_in.timed_out, name="timed_out"),
    path("stay-signed-in/", signing_in.stay, name="stay"),
    path("offer/", choosing.offer, name="offer"),
    path("needs/", needing.needs, name="needs"),
    path("sessions/", choosing.sessions, name="sessions"),
    path("booking/hold/", choosing.hold, name="hold"),
    path("booking/details/", making.details, name="details"),
    path("booking/consents/", making.consents, name="consents"),
    path("booking/check/", making.check, name="check"),
    path("booking/extend/", making.extend, name="extend"),
    path("booking/pay/", making.pay, name="pay"),
    path("booking/other-dates/", late.other_dates, name="other_dates"),
    path("booking/other-dates/choose/", late.choose_date, name="choose_date"),
    path("booking/other-dates/money-back/", late.money_back, name="money_back"),
    path("booking/return/", making.back_from_paying, name="return"),
    path("booking/", managing.manage, name="manage"),
    path("booking/calendar.ics", managing.calendar, name="calendar"),
    path("booking/receipt/", managing.receipt, name="receipt"),
    path("booking/move/", moving.start, name="move"),
    path("booking/move/dates/", moving.dates, name="move_dates"),
    path("booking/move/hold/", moving.hold, name="move_hold"),
    path("booking/move/check/", moving.check, name="move_check"),
    path("booking/move/extend/", moving.extend, name="move_extend"),
    path("booking/move/keep/", moving.keep, name="move_keep"),
    path("booking/move/confirm/", moving.confirm, name="move_confirm"),
    path("booking/move/return/", moving.back_from_paying, name="move_return"),
    path("booking/contact/", in_touch.contact, name="contact"),
    path("booking/messages/", in_touch.told, name="told"),
    path("booking/messages/<int:pk>/", in_touch.message, name="message"),
    path("booking/feedback/", in_touch.feedback, name="feedback"),
    path("booking/cancel/", managing.cancel, name="cancel"),
    path("pay/<str:token>/", paying_by_link.pay, name="pay_link"),
    path("pay/<str:token>/return/", paying_by_link.back, name="pay_link_return"),
]
