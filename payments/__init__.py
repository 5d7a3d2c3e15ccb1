"""Money: fees, charges, the Stripe inbox, refunds and the ledger."""
