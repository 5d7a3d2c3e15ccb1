"""The demo page of the switches."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlencode

from markupsafe import Markup
from werkzeug.wrappers import Response

from .events import endpoints, switches
from .html import page
from .refunds import pounds
from .store import Json, Tx

FORM = Markup(
    '<form class="card" method="post" action="/_control/{action}"><h2>{title}</h2>{fields}'
    '<button type="submit"{second}>{button}</button></form>'
)
INPUT = Markup(
    '<div class="field"><label for="{id}">{label}{hint}</label>'
    '<input type="{kind}" id="{id}" name="{name}" value="{value}"{more}></div>'
)
BOX = Markup(
    '<input type="hidden" name="box:{name}" value="1"><label class="check">'
    '<input type="checkbox" name="{name}"{checked}> {label}</label>'
)
SELECT = Markup(
    '<div class="field"><label for="{id}">{label}</label><select id="{id}" name="{name}">{options}</select></div>'
)

AGAIN = Markup(
    '<form method="post" action="/_control/webhooks/resend"><input type="hidden" name="event" value="{0}">'
    '<code>{0}</code> <button class="second" type="submit" aria-label="Send {1} again">Send again</button></form>'
)


def address(said: str) -> str:
    """The page, saying what was done."""
    return "/_control/?" + urlencode({"said": said})


def _input(name: str, label: str, value: object = "", *, hint: str = "", kind: str = "text", form: str = "") -> Markup:
    return INPUT.format(
        id=f"{form}-{name}" if form else name,
        name=name,
        label=label,
        value=value,
        kind=kind,
        hint=Markup(' <span class="hint">{}</span>').format(hint) if hint else "",
        more=Markup(' min="0" step="any"') if kind == "number" else "",
    )


def _box(name: str, label: str, *, on: bool) -> Markup:
    return BOX.format(name=name, label=label, checked=Markup(" checked") if on else "")


def _select(name: str, label: str, options: list[str], *, form: str) -> Markup:
    shown = Markup("").join(Markup("<option>{}</option>").format(option) for option in options)
    return SELECT.format(id=f"{form}-{name}", name=name, label=label, options=shown)


def _form(action: str, title: str, button: str, *fields: Markup, second: bool = False) -> Markup:
    return FORM.format(
        action=action,
        title=title,
        button=button,
        fields=Markup("").join(fields),
        second=Markup(' class="second"') if second else "",
    )


def show(tx: Tx, *, said: str, api: Json) -> Response:
    """All switches as they stand, and what happened last."""
    rules = switches(tx)
    endpoint = (endpoints(tx) or [{"url": "", "secrets": []}])[0]
    forms = [
        _form(
            "webhooks",
            "Webhooks",
            "Set",
            _box("drop", "Drop all", on=rules["drop"]),
            _box("hold", "Hold until released", on=rules["hold"]),
            _input("drop_next", "Drop the next", rules["drop_next"], kind="number"),
            _input("delay_seconds", "Delay by seconds", rules["delay_seconds"], kind="number"),
            _input("duplicate", "Copies of each", rules["duplicate"], kind="number"),
            _input("reorder_seconds", "Shuffle within seconds", rules["reorder_seconds"], kind="number"),
            _input("types", "Only these types", ", ".join(rules["types"]), hint="such as charge.*, empty for all"),
        ),
        _form(
            "api",
            "Calls of the API",
            "Set",
            _input("time_out_next", "Cut off after doing: next", api["time_out_next"], kind="number"),
            _input("hang_seconds", "Hang before cutting, seconds", api["hang_seconds"], kind="number"),
            _input("error_next", "Answer 500: next", api["error_next"], kind="number"),
            _box("keep_error", "Keep that 500 under the idempotency key", on=api["keep_error"]),
            _input("delay_seconds", "Slow each call by seconds", api["delay_seconds"], kind="number", form="api"),
            _input("match", "Only these calls", api["match"], hint="such as POST /v1/refunds*"),
        ),
        _form(
            "clock",
            "Clock",
            "Move",
            _input("advance_seconds", "Forward by seconds", 1800, kind="number"),
            _box("reset", "First back to the real clock", on=False),
        ),
        _form(
            "endpoints",
            "Endpoint",
            "Save",
            _input("url", "Address", endpoint["url"], kind="url"),
            _input("secrets", "Secrets", ", ".join(endpoint["secrets"]), hint="several, by commas, while rolling"),
        ),
        _form(
            "webhooks/release",
            "Release what is held",
            "Release",
            _select("order", "Order", ["as_is", "reverse", "shuffle"], form="release"),
        ),
        _form(
            "webhooks/resend", "Send an event again", "Send", _input("event", "Event"), _input("copies", "Copies", 1)
        ),
        _form("payout", "Pay out", "Pay out", _box("include_pending", "Also what is still pending", on=True)),
        _form(
            "dispute",
            "Dispute a payment",
            "Dispute",
            _input("charge", "Charge or PaymentIntent"),
            _box("inquiry", "Only ask about it", on=False),
        ),
        _form(
            "settle",
            "Decide what waits",
            "Decide",
            _input("id", "Refund, dispute, payout or PaymentIntent"),
            _select(
                "outcome",
                "Outcome",
                ["succeeded", "failed", "won", "lost", "closed", "disputed", "paid"],
                form="settle",
            ),
        ),
        _form("payments", "Delayed payments", "Set", _input("async_next", "The next that complete unpaid", 0)),
        _form(
            "refunds",
            "Refunds",
            "Set",
            _box("pending", "Begin pending", on=bool(tx.setting("refunds_pending", False))),
        ),
        _form("reset", "Forget everything", "Reset", second=True),
    ]
    clock = dt.datetime.fromtimestamp(tx.now(), tz=dt.UTC)
    words = Markup('<p class="said" role="status">{}</p>').format(said) if said else Markup("")
    body = Markup("<h1>Stripe sandbox</h1>{}<p>Its clock says {}.</p><div class='grid'>{}</div>{}{}").format(
        words, f"{clock:%A %-d %B %Y, %H:%M:%S} UTC", Markup("").join(forms), _payments(tx), _events(tx)
    )
    return page(
        "Stripe sandbox", body, banner="A stand-in for Stripe: these switches are for demonstration and tests."
    )


def _table(title: str, heads: list[str], rows: list[list[object]]) -> Markup:
    head = Markup("").join(Markup('<th scope="col">{}</th>').format(one) for one in heads)
    lines = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(cell) for cell in row))
        for row in rows
    )
    return Markup(
        '<section class="card"><h2>{}</h2><div class="scroll" tabindex="0" role="region" aria-label="{}">'
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div></section><br>"
    ).format(title, title, head, lines)


def _payments(tx: Tx) -> Markup:
    rows: list[list[object]] = []
    for session in tx.page("checkout.session", limit=15)[0]:
        link = Markup('<a href="{}">open</a>').format(session["url"]) if session["url"] else ""
        rows.append(
            [
                Markup("<code>{}</code>").format(session["payment_intent"] or session["id"][:20] + "…"),
                pounds(session["amount_total"]),
                f"{session['status']}, {session['payment_status']}",
                session["client_reference_id"] or "",
                link,
            ]
        )
    return _table("Latest payments", ["PaymentIntent", "Amount", "State", "Reference", "Page"], rows)


def _events(tx: Tx) -> Markup:
    rows: list[list[object]] = []
    for event in tx.page("event", limit=25)[0]:
        found = tx.db.execute(
            "SELECT group_concat(state || ' (' || tries || ')', ', ') FROM deliveries WHERE event = ?", (event["id"],)
        ).fetchone()[0]
        rows.append([event["type"], found or "not sent", AGAIN.format(event["id"], event["type"])])
    return _table("Latest events", ["Type", "Deliveries (tries)", "Event"], rows)
