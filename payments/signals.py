"""The one upward seam of this app: receivers run inside the sender's transaction.

`charge_locking`: sent first, before the charge is locked, so that the apps above take their own locks in the house's
order (session, referral, booking, charge). Arguments: booking_reference.
`charge_settled`: a charge is paid. Arguments: charge (locked), by (Actor), now. Receivers only write rows.
`payment_failed`: a payment failed after Checkout was complete. Arguments: charge (locked), attempt, now.
`charge_refunded`: money went back. Arguments: charge (locked), refund, by, now. Receivers only write rows.
`refund_rejected`: a second person has refused to send money back. Arguments: charge (locked), refund, now. The same.
"""

from django.dispatch import Signal

charge_locking = Signal()
charge_settled = Signal()
charge_refunded = Signal()
payment_failed = Signal()
refund_rejected = Signal()
