"""A person at a real web server without a browser: cookies, redirects, and forms read from the page and sent back."""

import http.client
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

_MOST_REDIRECTS = 10
_REDIRECTS = {301, 302, 303, 307, 308}
_HIDDEN = {"script", "style", "title", "noscript", "template"}

Value = str | tuple[str, bytes]  # a file is its name and its bytes


@dataclass
class Form:
    """A form as the page has it: what its fields hold now, what else each choice offers, its buttons' words."""

    action: str
    method: str = "get"
    multipart: bool = False
    fields: dict[str, Value] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)
    presses: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """An answer, read."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes
    heading: str
    words: str
    links: dict[str, str]
    forms: list[Form]

    @property
    def path(self) -> str:
        """The path and query of its address."""
        parts = urlsplit(self.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def form(self, button: str) -> Form:
        """The form with a button of these words; an AssertionError with the page where there is none."""
        for form in self.forms:
            if button in form.buttons:
                return form
        raise AssertionError(f"{self.status} {self.url} has no button {button!r}: {self.words[:2000]}")


class _Reader(HTMLParser):
    """Reads headings, words, links and forms."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.heading: list[str] = []
        self.words: list[str] = []
        self._open: Form | None = None
        self._hidden = 0
        self._in_heading = False
        self._link: tuple[str, list[str]] | None = None
        self._button: tuple[dict[str, str], list[str]] | None = None
        self._select = ""
        self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag == "h1":
            self._in_heading = True
        elif tag == "a" and given.get("href"):
            self._link = (given["href"], [])
        elif tag == "form":
            multipart = given.get("enctype") == "multipart/form-data"
            self._open = Form(given.get("action", ""), given.get("method", "get").lower(), multipart)
            self.forms.append(self._open)
        elif self._open is not None:
            self._field(tag, given)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        form = self._open
        assert form is not None
        name = given.get("name", "")
        if tag == "button":
            self._button = (given, [])
        elif tag == "option":
            value = given.get("value", "")
            form.choices.setdefault(self._select, []).append(value)
            if "selected" in given or self._select not in form.fields:
                form.fields[self._select] = value
        elif name and tag in {"select", "textarea", "input"}:
            form.names.add(name)
            if tag == "select":
                self._select = name
            elif tag == "textarea":
                self._textarea = name
                form.fields[name] = ""
            else:
                _input(form, name, given)

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden -= 1
        elif tag == "h1":
            self._in_heading = False
        elif tag == "a" and self._link:
            self.links[_joined(self._link[1])] = self._link[0]
            self._link = None
        elif tag == "button" and self._button and self._open is not None:
            given, words = self._button
            self._open.buttons.append(_joined(words))
            if given.get("name"):
                self._open.presses[_joined(words)] = (given["name"], given.get("value", ""))
            self._button = None
        elif tag == "form":
            self._open = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._textarea and self._open is not None:
            self._open.fields[self._textarea] = data.removeprefix("\n")
            return
        self.words.append(data)
        if self._in_heading:
            self.heading.append(data)
        if self._link:
            self._link[1].append(data)
        if self._button:
            self._button[1].append(data)


def _input(form: Form, name: str, given: dict[str, str]) -> None:
    if given.get("type") in {"radio", "checkbox"}:
        value = given.get("value", "on")
        form.choices.setdefault(name, []).append(value)
        if "checked" in given:
            form.fields[name] = value
    elif given.get("type") != "file":
        form.fields[name] = given.get("value", "")


def _joined(words: list[str]) -> str:
    return " ".join("".join(words).split())


def read(status: int, url: str, headers: Mapping[str, str], content: bytes) -> Page:
    """What an answer says."""
    given = {name.lower(): value for name, value in headers.items()}
    reader = _Reader()
    if given.get("content-type", "").startswith("text/html"):
        reader.feed(content.decode())
    return Page(
        status=status,
        url=url,
        headers=given,
        body=content,
        heading=_joined(reader.heading),
        words=re.sub(r"\s+([.,:;])", r"\1", _joined([f"{word} " for word in reader.words])),
        links=reader.links,
        forms=reader.forms,
    )


class Visitor:
    """Somebody at the portal. Redirects within the portal are followed; one that leads away is returned as it is."""

    def __init__(self, origin: str) -> None:
        """`origin` is the portal's address, as `live_web.url`."""
        self.origin = origin
        self.patience = 60.0  # seconds
        self.cookies: dict[str, str] = {}
        self.page: Page | None = None

    def get(self, address: str) -> Page:
        """Open an address."""
        return self._go("GET", address)

    def follow(self, link: str) -> Page:
        """Click on the link with these words of the present page."""
        page = self._present()
        assert link in page.links, f"{page.url} has no link {link!r} but {sorted(page.links)}"
        return self._go("GET", urljoin(page.url, page.links[link]))

    def press(self, button: str, **values: Value) -> Page:
        """Fill in the form of the present page that has this button, and press it.

        Only fields the form has can be given, and of a choice only what it offers.
        """
        page = self._present()
        form = page.form(button)
        unknown = set(values) - form.names
        assert not unknown, f"the form has no fields {sorted(unknown)} but {sorted(form.names)}"
        for name, value in values.items():
            offered = form.choices.get(name)
            assert offered is None or value in offered, f"{name} offers {offered}, not {value!r}"
        filled = {**form.fields, **values}
        if button in form.presses:
            name, value = form.presses[button]
            filled[name] = value
        target = urljoin(page.url, form.action) if form.action else page.url
        if form.method == "get":
            return self._go("GET", f"{target.partition('?')[0]}?{urlencode(filled)}")
        return self.post(target, filled, multipart=form.multipart)

    def tick_all(self, button: str) -> dict[str, str]:
        """Every tick box of the form with this button, ticked: to be given to `press`."""
        form = self._present().form(button)
        return {name: values[0] for name, values in form.choices.items() if len(values) == 1}

    def post(self, address: str, values: Mapping[str, Value], *, multipart: bool = False) -> Page:
        """Send values as a form does."""
        if multipart:
            body, kind = _multipart(values)
        else:
            body, kind = urlencode(values).encode(), "application/x-www-form-urlencoded"
        return self._go("POST", address, body, {"Content-Type": kind})

    def _present(self) -> Page:
        assert self.page is not None, "no page was opened yet"
        return self.page

    def _go(self, method: str, address: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Page:
        url = urljoin(self.origin, address)
        for _ in range(_MOST_REDIRECTS):
            page = self._request(method, url, body, headers or {})
            there = urljoin(url, page.headers.get("location", ""))
            if page.status not in _REDIRECTS or not there.startswith(f"{self.origin}/"):
                self.page = page
                return page
            if page.status not in {307, 308}:
                method, body, headers = "GET", b"", None
            url = there
        raise AssertionError(f"{url} leads round in a circle")

    def _request(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Page:
        parts = urlsplit(url)
        sent = {"Accept": "text/html", **headers, "Connection": "close"}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=self.patience)
        try:
            connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body or None, sent)
            response = connection.getresponse()
            content = response.read()
            self._keep(response.headers.get_all("Set-Cookie") or [])
        finally:
            connection.close()
        return read(response.status, url, dict(response.getheaders()), content)

    def _keep(self, lines: list[str]) -> None:
        for line in lines:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


def _multipart(values: Mapping[str, Value]) -> tuple[bytes, str]:
    boundary = uuid.uuid4().hex
    parts = []
    for name, value in values.items():
        if isinstance(value, tuple):
            head = f'Content-Disposition: form-data; name="{name}"; filename="{value[0]}"\r\nContent-Type: text/csv'
            content = value[1]
        else:
            head, content = f'Content-Disposition: form-data; name="{name}"', value.encode()
        parts.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
