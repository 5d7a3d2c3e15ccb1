"""The one upward seam of this app: receivers only write rows, inside the sender's transaction.

`session_changed`: times, room or link changed, or KCC cancelled it. Arguments: session (locked), kind ("moved" |
"link" where nothing but the link changed | "cancelled"), by (Actor), now.
"""

from django.dispatch import Signal

session_changed = Signal()
