"""Forms of signing in, in the portal's words."""

from typing import Any

from allauth.account import forms


class LoginForm(forms.LoginForm):  # type: ignore[misc]
    """User name and password; what is missing is named."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, words in (("login", "Enter your username"), ("password", "Enter your password")):
            self.fields[name].error_messages["required"] = words
