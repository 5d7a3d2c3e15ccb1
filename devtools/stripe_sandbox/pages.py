"""The hosted pages: the payment page, the bank's 3-D Secure page and the receipt."""

from __future__ import annotations

import datetime as dt
import re

from markupsafe import Markup
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from . import cards, checkout
from .events import Call
from .html import page, style
from .payments import Payer
from .refunds import pounds
from .store import Json, Store, Tx

ASKED = ("email", "card_number", "card_expiry", "card_cvc", "card_name")
PAY = Markup("""{summary}
<div class="pay">
<section aria-labelledby="what">
{back}
<h1 id="what">Pay Kent County Council courses</h1>
<p class="amount">{total}</p>
<ul class="items">{items}<li class="sum"><span>Total due</span><span>{total}</span></li></ul>
</section>
<section class="card" aria-labelledby="how">
<h2 id="how">Pay by card</h2>
<form method="post" action="/c/pay/{id}" novalidate>
{email}
{card_number}
<div class="pair">
{card_expiry}
{card_cvc}
</div>
{card_name}
<button class="wide" type="submit">Pay {total}</button>
</form>
<details>
<summary>Cards to try</summary>
<p class="quiet">Any expiry date ahead, any three-digit security code.</p>
<table><thead><tr><th scope="col">Number</th><th scope="col">What it does</th></tr></thead>
<tbody>{cards}</tbody></table>
</details>
</section>
</div>""")
FIELD = Markup("""<div class="field"><label for="{name}">{label}{hint}</label>{error}
<input type="{kind}" id="{name}" name="{name}" value="{value}" autocomplete="{complete}"{more}></div>""")
SECURE = Markup("""<div class="card narrow">
<h1>Your bank asks: is this you?</h1>
<p>3-D Secure test page of the card ending {last4}.</p>
<p>Payment of <strong>{total}</strong> to Kent County Council courses.</p>
<form method="post" action="/c/3ds/{id}" class="stack">
<button type="submit" name="answer" value="approve">Complete authentication</button>
<button class="second" type="submit" name="answer" value="fail">Fail authentication</button>
</form>
<p><a href="/c/3ds/{id}/left">Walk away without an answer</a></p>
</div>""")
PLAIN = Markup('<div class="card narrow"><h1>{title}</h1><p>{words}</p>{link}</div>')
NOTHING = Markup("")
LINK = Markup('<p><a href="{url}">{words}</a></p>')


class HostedPages:
    """Answers what a payer's browser asks."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def respond(self, request: Request, base_url: str) -> Response:
        """One request under ``/c/``."""
        if request.path == "/c/assets/sandbox.css":
            return style()
        match = re.match(r"/c/(pay|3ds|receipts)/([A-Za-z0-9_]+)(/left)?\Z", request.path)
        if match is None:
            return _gone()
        kind, identifier, left = match.groups()
        if left:
            return _plain("You left the bank's page", "Nothing was paid. The session stays open until it expires.")
        if kind == "receipts":
            return self._receipt(identifier)
        if kind == "3ds":
            return self._secure(request, identifier, base_url)
        return self._pay(request, identifier, base_url)

    def _pay(self, request: Request, identifier: str, base_url: str) -> Response:
        if request.method != "POST":
            with self.store.read() as tx:
                session = tx.get("checkout.session", identifier)
                if session is None:
                    return _gone()
                if session["status"] != "open":
                    return _ended(session)
                return _form(tx, session, {}, {}, failure=self._left_over(tx, session))
        values = {name: request.form.get(name, "").strip() for name in ASKED}
        with self.store.write() as tx:
            session = tx.get("checkout.session", identifier)
            if session is None:
                return _gone()
            if session["status"] != "open":
                return _ended(session)
            call = Call(tx, base_url=base_url)
            values["email"] = session["customer_email"] or values["email"]
            errors, payer = _read(values, call.now)
            if payer is None:
                return _form(tx, session, values, errors)
            outcome = checkout.attempt(call, session, re.sub(r"[\s-]", "", values["card_number"]), payer)
            if outcome.redirect:
                return redirect(outcome.redirect, 303)
            return _form(tx, session, values, {}, failure=outcome.message)

    @staticmethod
    def _left_over(tx: Tx, session: Json) -> str | None:
        """The words of the last failed attempt at the bank's page, shown once the payer is back here."""
        intent = tx.get("payment_intent", session["payment_intent"]) if session["payment_intent"] else None
        error = (intent or {}).get("last_payment_error")
        return error["message"] if error else None

    def _secure(self, request: Request, identifier: str, base_url: str) -> Response:
        with self.store.write() as tx:
            intent = tx.get("payment_intent", identifier)
            if intent is None:
                return _gone()
            session = tx.get("checkout.session", tx.hidden(identifier)["session"])
            if session is None:
                return _gone()
            if session["status"] != "open":
                return _ended(session)
            back = f"/c/pay/{session['id']}"
            if intent["status"] != "requires_action":
                return redirect(back, 303)
            call = Call(tx, base_url=base_url)
            if request.method == "POST":
                answer = request.form.get("answer")
                if answer in ("approve", "fail"):
                    outcome = checkout.answer_authentication(call, session, intent, approved=answer == "approve")
                    return redirect(outcome.redirect or back, 303)
            card, _ = checkout.remembered(call, intent)
            body = SECURE.format(id=intent["id"], last4=card.number[-4:], total=pounds(intent["amount"]))
            return page("Your bank asks: is this you?", body)

    def _receipt(self, identifier: str) -> Response:
        with self.store.read() as tx:
            charge = tx.get("charge", identifier)
        if charge is None:
            return _gone()
        last4 = charge["payment_method_details"]["card"]["last4"]
        paid, back = pounds(charge["amount"]), pounds(charge["amount_refunded"])
        words = f"{paid} paid by the card ending {last4}; {back} refunded."
        return _plain("Receipt", words)


def _read(values: dict[str, str], now: int) -> tuple[dict[str, str], Payer | None]:
    """What is wrong with the fields, and the payer where nothing is."""
    errors: dict[str, str] = {}
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", values["email"]):
        errors["email"] = "Enter an email address, like name@example.com"
    number = re.sub(r"[\s-]", "", values["card_number"])
    if not number:
        errors["card_number"] = "Enter the card number"
    elif not re.fullmatch(r"\d{12,19}", number) or not cards.is_possible(number):
        errors["card_number"] = "Your card number is invalid. Check the number on the card"
    expiry = re.fullmatch(r"(0?[1-9]|1[0-2])\s*/?\s*(?:20)?(\d\d)", values["card_expiry"])
    month, year = (int(expiry.group(1)), 2000 + int(expiry.group(2))) if expiry else (0, 0)
    today = dt.datetime.fromtimestamp(now, tz=dt.UTC)
    if expiry is None:
        errors["card_expiry"] = "Enter the expiry date, like 04 / 30"
    elif (year, month) < (today.year, today.month):
        errors["card_expiry"] = "Your card's expiration date is in the past"
    if not re.fullmatch(r"\d{3,4}", values["card_cvc"]):
        errors["card_cvc"] = "Enter the 3-digit security code"
    if not values["card_name"]:
        errors["card_name"] = "Enter the name on the card"
    if errors:
        return errors, None
    return {}, Payer(values["email"], values["card_name"], month, year)


def _form(
    tx: Tx, session: Json, values: dict[str, str], errors: dict[str, str], *, failure: str | None = None
) -> Response:
    """The payment page; card details are never sent back to it."""
    items = Markup("").join(
        Markup("<li><span>{}{}</span><span>{}</span></li>").format(
            item["description"],
            f" × {item['quantity']}" if item["quantity"] > 1 else "",
            pounds(item["amount_total"]),
        )
        for item in tx.hidden(session["id"])["line_items"]
    )
    back = checkout.cancel_url(session)
    email = session["customer_email"]

    def field(name: str, label: str, complete: str, *, kind: str = "text", hint: str = "", more: str = "") -> Markup:
        problem = errors.get(name)
        attributes = Markup(more)
        if problem:
            attributes += Markup(' aria-invalid="true" aria-describedby="{}-error"').format(name)
        elif name == "card_number" and failure:
            attributes += Markup(' aria-describedby="failure"')
        return FIELD.format(
            name=name,
            label=label,
            hint=Markup(' <span class="hint">{}</span>').format(hint) if hint else "",
            error=Markup('<p class="error" id="{}-error">{}</p>').format(name, problem) if problem else "",
            kind=kind,
            value=values.get(name, "") if name in ("email", "card_name") else "",
            complete=complete,
            more=attributes,
        )

    if email:
        values = {**values, "email": email}
    body = PAY.format(
        id=session["id"],
        summary=_summary(errors, failure),
        back=Markup('<a class="back" href="{}">← Back, without paying</a>').format(back) if back else "",
        total=pounds(session["amount_total"]),
        items=items,
        email=field("email", "Email", "email", kind="email", more=" readonly" if email else ""),
        card_number=field("card_number", "Card number", "cc-number", more=' inputmode="numeric"'),
        card_expiry=field("card_expiry", "Expiry date", "cc-exp", hint="MM / YY", more=' inputmode="numeric"'),
        card_cvc=field("card_cvc", "Security code", "cc-csc", hint="CVC", more=' inputmode="numeric"'),
        card_name=field("card_name", "Name on card", "cc-name"),
        cards=Markup("").join(
            Markup("<tr><td><code>{}</code></td><td>{}</td></tr>").format(_spaced(card.number), card.words)
            for card in cards.CARDS.values()
        ),
    )
    prefix = "Error: " if errors or failure else ""
    return page(f"{prefix}Pay {pounds(session['amount_total'])} – Checkout", body, status=422 if errors else 200)


def _spaced(number: str) -> str:
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def _summary(errors: dict[str, str], failure: str | None) -> Markup:
    if failure:
        return Markup(
            '<div class="summary" role="alert" id="failure" data-failure="payment">'
            "<h2>The payment did not go through</h2>"
            '<p>{}</p><p><a href="#card_number">Try again, or use another card</a></p></div>'
        ).format(failure)
    if errors:
        lines = Markup("").join(
            Markup('<li><a href="#{}">{}</a></li>').format(name, words) for name, words in errors.items()
        )
        return Markup(
            '<div class="summary" role="alert" data-failure="fields"><h2>There is a problem</h2><ul>{}</ul></div>'
        ).format(lines)
    return Markup("")


def _ended(session: Json) -> Response:
    """A session that is over: paid goes on to the shop, expired says so."""
    if session["status"] == "complete":
        return redirect(checkout.success_url(session), 303)
    back = checkout.cancel_url(session)
    link = LINK.format(url=back, words="Back to the shop") if back else Markup("")
    return _plain("This payment page has expired", "Nothing was paid here.", link=link)


def _gone() -> Response:
    return _plain("Nothing to pay here", "There is no payment page at this address.", status=404)


def _plain(title: str, words: str, *, link: Markup = NOTHING, status: int = 200) -> Response:
    return page(title, PLAIN.format(title=title, words=words, link=link), status=status)
