"""The one upward seam of this app: receivers run inside the sender's transaction.

`referral_locking`: sent first, before the referral is locked, so that the apps above take their own locks in the
house's order (session, referral, booking, charge). Arguments: referral_id.
`referral_ended`: a referral was withdrawn or expired. Arguments: referral (locked), kind ("withdrawn" | "expired"),
reason (WithdrawalReason or ""), by (Actor), now. Receivers only write rows.
`referral_extended`: police moved complete by. Arguments: referral (locked), by, now. Receivers only write rows.
"""

from django.dispatch import Signal

referral_locking = Signal()
referral_ended = Signal()
referral_extended = Signal()
