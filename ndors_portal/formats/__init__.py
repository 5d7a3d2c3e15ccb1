"""How Django itself writes dates, in admin above all; pages of the doors use the words of `common.clock`."""
