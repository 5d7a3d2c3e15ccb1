"""Candidates in a hurry, in a process of their own so that their cost is not taken for the portal's.

Reads what is to be done as JSON and prints how long everything took. Each candidate has a connection of their own,
from an address of their own (all of 127.0.0.0/8 is this machine), so the throttles of signing in see as many people as
there are. Pages are read with regular expressions only: this shares the processors with what it measures.
"""

import http.client
import json
import queue
import random
import re
import sys
import threading
import time
from urllib.parse import urlencode, urlsplit

from benchmarks.journey.fill import PIN

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
_SESSION = re.compile(r'name="session"\s+value="(\d+)"')
_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
_INPUT = re.compile(r"<input\b[^>]*>")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
# Of the choices a page gives, what a candidate without wishes takes.
_CHOICES = ("no", "none", "NO", "NONE")
_MOST_PAGES = 8


class UnexpectedError(Exception):
    """An answer that no candidate should get."""


class Candidate:
    """One person at a browser. `note` is called with (step, seconds, status)."""

    def __init__(self, given, number, note):
        self.host, self.port = given["web"]
        self.sandbox = given["sandbox"]
        self.note = note
        self.address = f"127.{1 + number // 62500 % 250}.{number // 250 % 250}.{1 + number % 250}"
        self.cookies = {}
        self._connection = None

    def ask(self, method, path, fields=None, step=""):
        """Status, where it leads, and the page."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                self.host, self.port, timeout=60, source_address=(self.address, 0)
            )
        headers = {"Accept": "text/html"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if fields is not None:
            body = urlencode(fields)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.perf_counter()
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            page = answer.read()
        except (http.client.HTTPException, ConnectionError):
            self._connection.close()
            self.note(step or f"{method} {path.partition('?')[0]}", time.perf_counter() - began, 0)
            raise
        self.note(step or f"{method} {path.partition('?')[0]}", time.perf_counter() - began, answer.status)
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.headers.get("Location", ""), page.decode()

    def get(self, path):
        status, _, page = self.ask("GET", path)
        if status != 200:
            raise UnexpectedError(f"GET {path}: {status}")
        return page

    def send(self, path, page, fields):
        status, there, _ = self.ask("POST", path, {"csrfmiddlewaretoken": _TOKEN.search(page)[1], **fields})
        if status != 302:
            raise UnexpectedError(f"POST {path}: {status}")
        return there

    def sign_in(self, reference):
        self.get("/")
        page = self.get("/sign-in/")
        return self.send("/sign-in/", page, {"reference": reference, "how": "pin", "pin": PIN})

    def up_to_paying(self, reference, choose):
        """From the letter to the page where everything is checked, which is returned."""
        page = self.get(self.sign_in(reference))
        if 'href="/booking/needs/"' in page:
            self.send("/booking/needs/", self.get("/booking/needs/"), {"needs": "NOTHING"})
        for _ in range(_MOST_PAGES):
            page = self.get("/sessions/")
            session = choose(_SESSION.findall(page))
            status, there, _ = self.ask(
                "POST", "/booking/hold/", {"csrfmiddlewaretoken": _TOKEN.search(page)[1], "session": session}
            )
            if status == 302:
                break
            if status != 409:
                raise UnexpectedError(f"POST /booking/hold/: {status}")
        for _ in range(_MOST_PAGES):
            page = self.get(there)
            if there == "/booking/check/":
                return page
            there = self.send(there, page, self._answers(page))
        raise UnexpectedError(f"round in a circle at {there}")

    def _answers(self, page):
        """What is filled into the form of a page: what it holds, our address, every box of consent."""
        form = next(body for head, body in _FORM.findall(page) if "action=" not in head)
        fields = {}
        for tag in _INPUT.findall(form):
            given = dict(_ATTRIBUTE.findall(tag))
            name, kind, value = given.get("name", ""), given.get("type", "text"), given.get("value", "")
            if kind == "checkbox":
                if name.startswith("text_"):
                    fields[name] = value or "on"
            elif kind == "radio":
                if value in _CHOICES:
                    fields[name] = value
            elif name == "email":
                fields[name] = value or "candidate@example.org"
            elif name and name != "csrfmiddlewaretoken":
                fields[name] = value
        return fields

    def pay(self, page):
        """Click Pay, pay at Stripe, come back: confirmed by then, or once the news of it has come."""
        checkout = self.send("/booking/pay/", page, {})
        there = self.pay_at_stripe(checkout)
        for _ in range(50):
            status, there_then, page = self.ask("GET", there, step="GET /booking/return/")
            if status == 302:
                return self.get(there_then)
            if status != 200:
                raise UnexpectedError(f"GET {there}: {status}")
            time.sleep(0.1)
        raise UnexpectedError("never confirmed")

    def pay_at_stripe(self, checkout):
        """The sandbox's page, filled in; where it sends the payer, who comes back on a new connection."""
        self.close()
        parts = urlsplit(checkout)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        began = time.perf_counter()
        try:
            connection.request("GET", parts.path)
            page = connection.getresponse().read().decode()
            action = re.search(r'<form[^>]*action="([^"]+)"', page)[1]
            fields = {
                "email": "payer@example.com",
                "card_number": "4242424242424242",
                "card_expiry": "12 / 49",
                "card_cvc": "123",
                "card_name": "Test Payer",
            }
            connection.request(
                "POST", action, urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"}
            )
            answer = connection.getresponse()
            answer.read()
            there = answer.headers.get("Location", "")
        finally:
            connection.close()
        self.note("(at Stripe)", time.perf_counter() - began, answer.status)
        if answer.status not in (302, 303) or not there:
            raise UnexpectedError(f"Stripe's page: {answer.status}")
        back = urlsplit(there)
        return f"{back.path}?{back.query}"

    def journey(self, reference, choose):
        page = self.pay(self.up_to_paying(reference, choose))
        if "Your course is booked" not in page:
            raise UnexpectedError("paid and not confirmed")

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def at_once(jobs, hands, work):
    """Do all jobs, so many at a time; seconds from the first to the last."""
    waiting = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)

    def run():
        while True:
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            work(job)

    threads = [threading.Thread(target=run) for _ in range(hands)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


class Notes:
    """How long each step took, how each was answered, and what went wrong."""

    def __init__(self):
        self.steps, self.statuses, self.failures = {}, {}, []

    def __call__(self, step, seconds, status):
        self.steps.setdefault(step, []).append(seconds)
        self.statuses[str(status)] = self.statuses.get(str(status), 0) + 1

    def told(self, seconds, **more):
        return {
            "seconds": seconds,
            "steps": self.steps,
            "statuses": self.statuses,
            "failures": self.failures[:20],
            **more,
        }


def journeys(given):
    """Whole journeys, `hands` candidates at a time."""
    notes = Notes()
    rnd = random.Random(given["first"])
    done = []

    def work(job):
        number, reference = job
        candidate = Candidate(given, number, notes)
        try:
            candidate.journey(reference, rnd.choice)
            done.append(reference)
        except (UnexpectedError, http.client.HTTPException, OSError) as error:
            notes.failures.append(f"{reference}: {error}")
        finally:
            candidate.close()

    jobs = list(enumerate(given["references"], start=given["first"]))
    return notes.told(at_once(jobs, given["hands"], work), done=len(done))


def holds(given):
    """The place-taking step alone: `jobs` are (path, cookies, fields), each of a candidate who is signed in."""
    notes = Notes()
    local = threading.local()

    def work(job):
        path, cookies, fields = job
        if not hasattr(local, "candidate"):
            local.candidate = Candidate(given, 1 + threading.get_ident() % 50000, notes)
        local.candidate.cookies = cookies
        local.candidate.ask("POST", path, fields)

    return notes.told(at_once(given["jobs"], given["hands"], work))


if __name__ == "__main__":
    told = json.load(sys.stdin)
    print(json.dumps({"journeys": journeys, "holds": holds}[told["what"]](told)))
