"""Labels inside a sentence."""


def mid_sentence(label: str) -> str:
    """A label as it stands inside a sentence: "cancelled by KCC" of "Cancelled by KCC", and "VAT" as it is."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]
