"""The little language of our messages, and what may be said in it (pure).

`{{ name }}` puts a value in; `{% if name %} … {% elif name %} … {% else %} … {% endif %}` says something only where
there is one (`{% if not name %}` where there is none). Nothing else: who edits words cannot reach past them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from typing import Any

LONGEST_SENTENCE_WORDS = 25
LONGEST_SUBJECT = 120
LONGEST_SMS = 459  # three parts of a long text message
ALLOWED_TAGS = frozenset({"h1", "h2", "p", "b", "br", "a", "ul", "ol", "li"})

_TOKEN = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})", re.DOTALL)
_STRAY = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
_ALONE = re.compile(r"^[ \t]*(\{%[^%\n]*%\})[ \t]*\n", re.MULTILINE)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_IF = re.compile(rf"(if|elif) (not )?({_NAME.pattern})")
# What a passer-by must not read on a locked telephone, nor a colleague over a shoulder.
_OFFENCE = re.compile(
    r"\b(offen[cs]es?|offend\w*|speed\w*|mph|motorway|careless|red light|penalt\w+|fixed penalty|convict\w*|crime|"
    r"[A-Z]{2}\d{2}|NSAC|NMAC|WDU|NRRAC|SCD)\b",
    re.IGNORECASE,
)
_TELLING = frozenset({"course", "details"})  # placeholders whose values name the course, and so the offence


class WordsError(ValueError):
    """Words that cannot be read, or a value that is missing. The text says what, for who wrote them."""


@dataclass(frozen=True, slots=True)
class Words:
    """What one message is made from. A text message has a body alone."""

    subject: str
    body: str
    html: str


@dataclass(frozen=True, slots=True)
class _Value:
    name: str


@dataclass(frozen=True, slots=True)
class _Choice:
    """Branches in order: (name or "" for else, whether it must be empty, what is said)."""

    branches: "tuple[tuple[str, bool, Parsed], ...]"


Parsed = tuple["str | _Value | _Choice", ...]


def parse(source: str) -> Parsed:
    """Read words. Raises WordsError with what is wrong with them."""
    tokens = _TOKEN.split(_ALONE.sub(r"\1", source.replace("\r\n", "\n")))
    parsed, end = _read(tokens, 0)
    if end < len(tokens):
        raise WordsError(f"“{tokens[end]}” without an “if” before it")
    return parsed


def _read(tokens: list[str], at: int) -> tuple[Parsed, int]:
    """Read up to the end or to a tag that closes an `if`, which is left for the caller."""
    found: list[str | _Value | _Choice] = []
    while at < len(tokens):
        token = tokens[at]
        is_tag = at % 2 == 1  # as `split` with a group leaves them
        if is_tag and token.startswith("{{"):
            found.append(_Value(_name(token)))
        elif is_tag:
            word = token[2:-2].split()[:1]
            if word == ["if"]:
                choice, at = _read_choice(tokens, at)
                found.append(choice)
            elif word in (["elif"], ["else"], ["endif"]):
                break
            else:
                raise WordsError(f"“{token}” is not allowed: only “if”, “elif”, “else” and “endif” are")
        elif stray := _STRAY.search(token):
            raise WordsError(f"a stray “{stray.group()}”")
        elif token:
            found.append(token)
        at += 1
    return tuple(found), at


def _read_choice(tokens: list[str], at: int) -> tuple[_Choice, int]:
    branches: list[tuple[str, bool, Parsed]] = []
    opening = tokens[at]
    while True:
        tag = tokens[at][2:-2].strip()
        match = _IF.fullmatch(tag)
        if tag == "else" and branches and branches[-1][0]:
            name, is_negated = "", False
        elif match and (not branches or (match[1] == "elif" and branches[-1][0])):
            name, is_negated = match[3], bool(match[2])
        else:
            raise WordsError(f"“{tokens[at]}” cannot stand here")
        parsed, at = _read(tokens, at + 1)
        branches.append((name, is_negated, parsed))
        if at >= len(tokens):
            raise WordsError(f"“{opening}” has no “endif”")
        if tokens[at][2:-2].strip() == "endif":
            return _Choice(tuple(branches)), at


def _name(token: str) -> str:
    name = token[2:-2].strip()
    if not _NAME.fullmatch(name):
        raise WordsError(f"“{token}” is not a placeholder: only a name may stand in it")
    return name


def names_in(parsed: Parsed) -> frozenset[str]:
    """The placeholders that words use."""
    found: set[str] = set()
    for part in parsed:
        if isinstance(part, _Value):
            found.add(part.name)
        elif isinstance(part, _Choice):
            for name, _, inner in part.branches:
                found |= names_in(inner) | ({name} if name else set())
    return frozenset(found)


def fill(
    parsed: Parsed, values: Mapping[str, Any], *, is_html: bool = False, parts: Mapping[str, Parsed] | None = None
) -> str:
    """Put values into words; lists become "a, b". `parts` are words of their own that stand in for a placeholder.

    Raises WordsError where a value is missing: half a message is worse than a late one.
    """
    said: list[str] = []
    for part in parsed:
        if isinstance(part, str):
            said.append(part)
        elif isinstance(part, _Choice):
            for name, is_negated, inner in part.branches:
                if not name or bool(_value(values, name)) != is_negated:
                    said.append(fill(inner, values, is_html=is_html, parts=parts))
                    break
        elif parts and part.name in parts:
            said.append(fill(parts[part.name], values, is_html=is_html, parts=parts).strip("\n"))
        else:
            text = _text(_value(values, part.name))
            said.append(escape(text) if is_html else text)
    return "".join(said)


def _value(values: Mapping[str, Any], name: str) -> Any:
    if name not in values:
        raise WordsError(f"there is no value for “{name}”")
    return values[name]


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def tidy(text: str) -> str:
    """Text as it is sent: no trailing spaces, never more than one empty line, one line end at the end."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"


def check(words: Words, *, known: frozenset[str], is_sms: bool) -> list[str]:
    """What is wrong with words that somebody wants to send from now on; nothing where all is well."""
    problems: list[str] = []
    fields = {"text": words.body} if is_sms else {"subject": words.subject, "text": words.body, "HTML": words.html}
    for field, source in fields.items():
        if not source.strip():
            problems.append(f"The {field} is empty.")
            continue
        try:
            used = names_in(parse(source))
        except WordsError as error:
            problems.append(f"The {field}: {error}.")
            continue
        if unknown := sorted(used - known):
            names = ", ".join(f"“{name}”" for name in unknown)
            problems.append(f"The {field} has placeholders that this message does not know: {names}.")
        if field == "subject" and (telling := sorted(used & _TELLING)):
            problems.append(f"The subject must not name the course (“{telling[0]}”): others may read it.")
    if not is_sms:
        problems += _subject_problems(words.subject)
        problems += [f"The HTML: {problem}." for problem in _tag_problems(words.html)]
    return problems


def offence_word(subject: str) -> str:
    """A word in a subject that tells of the offence, or nothing."""
    found = _OFFENCE.search(subject)
    return found.group() if found else ""


def _subject_problems(subject: str) -> list[str]:
    problems = []
    if word := offence_word(subject):
        problems.append(f"The subject must not tell of the offence (“{word}”): others may read it.")
    if len(subject.strip()) > LONGEST_SUBJECT or "\n" in subject.strip():
        problems.append(f"The subject must be one line of at most {LONGEST_SUBJECT} characters.")
    return problems


def long_sentences(text: str) -> list[str]:
    """The sentences that are too long to be plain (over 25 words). A line of a list counts as its own sentence."""
    found = []
    for line in text.splitlines():
        for sentence in re.split(r"(?<=[.!?:])\s+", line):
            if len([word for word in sentence.split() if not word.startswith("http")]) > LONGEST_SENTENCE_WORDS:
                found.append(sentence)
    return found


class _Tags(HTMLParser):
    """Allows a few plain tags, with no attribute but the address of a link."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.problems: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED_TAGS:
            self.problems.append(f"<{tag}> is not allowed")
        for name, value in attrs:
            if (tag, name) != ("a", "href") or not re.match(r"https?://|\{\{|tel:|mailto:", value or ""):
                self.problems.append(f"{name} is not allowed on <{tag}>")
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing")

    def handle_comment(self, data: str) -> None:
        self.problems.append("comments are not allowed")

    def handle_decl(self, decl: str) -> None:
        self.problems.append("declarations are not allowed")

    def unknown_decl(self, data: str) -> None:
        self.problems.append("declarations are not allowed")

    def handle_pi(self, data: str) -> None:
        self.problems.append("instructions are not allowed")


def _tag_problems(html: str) -> list[str]:
    reader = _Tags()
    reader.feed(html)
    reader.close()
    unclosed = [f"<{tag}> is never closed" for tag in reader.open] if not reader.problems else []
    return reader.problems + unclosed
