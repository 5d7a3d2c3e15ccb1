"""A referral's reference as part of an address: it may itself hold slashes."""


class ReferenceConverter:
    """Upper-case letters, figures, slashes and hyphens, as references are; what follows it is in lower case."""

    regex = "[A-Z0-9/-]{6,25}"

    def to_python(self, value: str) -> str:
        """As it is."""
        return value

    def to_url(self, value: str) -> str:
        """As it is."""
        return value
