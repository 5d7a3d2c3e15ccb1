"""The frame of the sandbox's pages: plain HTML, one style sheet, no script."""

from __future__ import annotations

from markupsafe import Markup
from werkzeug.wrappers import Response

CSP = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"

FRAME = Markup("""<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<link rel="stylesheet" href="/c/assets/sandbox.css">
<link rel="icon" href="data:,">
</head>
<body>
<header><p class="banner"><strong>Test mode.</strong> {banner}</p></header>
<main>
{body}
</main>
</body>
</html>
""")

STYLE = """
:root { color-scheme: light; --ink: #1a1f36; --quiet: #4f566b; --line: #8792a2; --blue: #0a4bd6; --red: #b3093c; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: #f6f8fa;
  font: 1.0625rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
.banner { margin: 0; padding: .5rem 1rem; background: #ffe3a3; text-align: center; font-size: 1rem; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
.pay { display: grid; gap: 2rem; }
@media (min-width: 52rem) {
  .pay { grid-template-columns: 5fr 6fr; gap: 4rem; align-items: start; padding-top: 1.5rem; } }
.narrow { max-width: 34rem; margin: 0 auto; }
.card { background: #fff; border: 1px solid #d5dbe1; border-radius: .5rem; padding: 1.25rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .75rem; }
h2 { font-size: 1.1875rem; margin: 0 0 1rem; }
p { margin: 0 0 1rem; }
.amount { font-size: 2.25rem; font-weight: 700; line-height: 1.2; margin: 0 0 1rem; }
.items { list-style: none; margin: 0 0 1rem; padding: 0; border-top: 1px solid #d5dbe1; }
.items li { display: flex; justify-content: space-between; gap: 1rem; padding: .625rem 0;
  border-bottom: 1px solid #d5dbe1; }
.items .sum { font-weight: 700; }
.quiet { color: var(--quiet); }
.field { margin: 0 0 1.125rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; align-items: start; }
label, .label { display: block; font-weight: 600; margin: 0 0 .25rem; }
.hint { display: block; font-weight: 400; color: var(--quiet); font-size: 1rem; }
input[type=text], input[type=email], input[type=number], input[type=url], select { width: 100%; min-height: 2.875rem;
  padding: .5rem .75rem; font: inherit; color: inherit; background: #fff; border: 1px solid var(--line);
  border-radius: .375rem; }
input[readonly] { background: #eef1f4; }
input[aria-invalid=true] { border: 2px solid var(--red); }
:focus-visible { outline: 3px solid #ffb000; outline-offset: 2px; }
.error { color: var(--red); font-weight: 600; margin: 0 0 .25rem; }
.summary { border: 3px solid var(--red); border-radius: .375rem; padding: 1rem; margin: 0 0 1.5rem; background: #fff; }
.summary h2 { margin: 0 0 .5rem; }
.summary ul { margin: 0; padding-left: 1.25rem; }
.summary a { color: var(--red); font-weight: 600; }
button { font: inherit; font-weight: 600; min-height: 3rem; padding: .5rem 1.25rem; border: 2px solid var(--blue);
  border-radius: .375rem; background: var(--blue); color: #fff; cursor: pointer; }
button.second { background: #fff; color: var(--blue); }
.wide { width: 100%; }
.stack > * { width: 100%; margin: 0 0 .75rem; }
a { color: var(--blue); }
.back { display: inline-block; padding: .375rem 0; margin: 0 0 1rem; }
details { margin: 1.25rem 0 0; }
summary { cursor: pointer; color: var(--blue); padding: .375rem 0; }
code { font: .9375rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: 1rem; }
th, td { text-align: left; vertical-align: top; padding: .375rem .75rem .375rem 0; border-bottom: 1px solid #d5dbe1; }
.scroll { overflow-x: auto; }
.scroll td, .scroll th { white-space: nowrap; }
.scroll button { min-height: 2.25rem; padding: .125rem .75rem; }
.grid { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr));
  margin: 0 0 1.25rem; }
.check { display: flex; gap: .625rem; align-items: center; font-weight: 600; min-height: 2.75rem; }
.check input { width: 1.375rem; height: 1.375rem; flex: none; margin: 0; }
.said { border-left: .375rem solid #00703c; background: #fff; padding: .75rem 1rem; margin: 0 0 1.25rem; }
"""


def page(title: str, body: Markup, *, status: int = 200, banner: str = "No money moves here.") -> Response:
    """A whole page as a response; nothing of it may be cached."""
    response = Response(FRAME.format(title=title, body=body, banner=banner), status=status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = CSP
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def style() -> Response:
    """The style sheet."""
    return Response(STYLE, mimetype="text/css", headers={"Cache-Control": "max-age=60"})
