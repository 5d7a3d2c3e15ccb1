"""How money is written. Amounts are integer pence, GBP, everywhere."""


def pounds(pence: int) -> str:
    """Write an amount as GOV.UK does, without pence where there are none: "£92", "£92.50", "-£5"."""
    whole, rest = divmod(abs(pence), 100)
    return f"{_sign(pence)}£{whole:,}.{rest:02d}" if rest else f"{_sign(pence)}£{whole:,}"


def pounds_and_pence(pence: int) -> str:
    """Write an amount always with its pence, for columns and receipts: "£92.00", "-£5.00"."""
    whole, rest = divmod(abs(pence), 100)
    return f"{_sign(pence)}£{whole:,}.{rest:02d}"


def _sign(pence: int) -> str:
    return "-" if pence < 0 else ""
