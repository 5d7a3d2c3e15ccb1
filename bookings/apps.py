from django.apps import AppConfig


class BookingsConfig(AppConfig):
    name = "bookings"
    verbose_name = "Bookings"

    def ready(self) -> None:
        """Listen to the three apps below that announce something."""
        from bookings import receivers
        from courses.signals import session_changed
        from payments.signals import charge_locking, charge_refunded, charge_settled, payment_failed, refund_rejected
        from referrals.signals import referral_ended, referral_locking

        charge_locking.connect(receivers.on_charge_locking, dispatch_uid="bookings")
        charge_settled.connect(receivers.on_charge_settled, dispatch_uid="bookings")
        charge_refunded.connect(receivers.on_charge_refunded, dispatch_uid="bookings")
        payment_failed.connect(receivers.on_payment_failed, dispatch_uid="bookings")
        refund_rejected.connect(receivers.on_refund_rejected, dispatch_uid="bookings")
        referral_locking.connect(receivers.on_referral_locking, dispatch_uid="bookings")
        referral_ended.connect(receivers.on_referral_ended, dispatch_uid="bookings")
        session_changed.connect(receivers.on_session_changed, dispatch_uid="bookings")
