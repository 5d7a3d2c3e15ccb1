"""The words: every message with made-up values, the little language, and what may not be said in it."""

import pytest

from notifications import rendering, rules
from notifications.catalogue import KINDS, known_placeholders
from notifications.constants import Channel
from notifications.rules import Words, WordsError

MAILS = sorted(KINDS)
TEXTS = sorted(kind for kind, about in KINDS.items() if about.has_sms)
FORMS = [(kind, Channel.EMAIL) for kind in MAILS] + [(kind, Channel.SMS) for kind in TEXTS]
KNOWN = frozenset({"name", "course", "refund"})
GOOD = Words(subject="Your booking", body="Hello {{ name }}.", html="<p>Hello {{ name }}.</p>")


def samples(kind: str) -> list[dict[str, object]]:
    """The made-up values; then with every yes turned to no, and with what may be empty left empty."""
    full = KINDS[kind].sample
    turned = {name: not value if isinstance(value, bool) else value for name, value in full.items()}
    return [full, turned, {name: "" if isinstance(value, str) else value for name, value in turned.items()}]


@pytest.mark.parametrize(("kind", "channel"), FORMS)
def test_every_message_says_something_whatever_its_values(kind: str, channel: Channel) -> None:
    words = rendering.words_in_files(kind, channel)
    for sample in samples(kind):
        for is_attached in (True, False):
            told = rendering.render(words, sample, channel=channel, is_attached=is_attached)
            for text in (told.subject, told.text, told.html):
                assert "{" not in text.replace("body { margin", "").split("<body>")[-1]
            assert told.text.count("\n\n\n") == 0
            assert bool(told.subject) == bool(told.html) == (channel == Channel.EMAIL)


@pytest.mark.parametrize(("kind", "channel"), FORMS)
def test_every_message_passes_what_new_words_must(kind: str, channel: Channel) -> None:
    words = rendering.words_in_files(kind, channel)
    assert rules.check(words, known=known_placeholders(kind), is_sms=channel == Channel.SMS) == []


@pytest.mark.parametrize("kind", TEXTS)
def test_every_kind_for_a_candidate_says_until_when_it_is_news(kind: str) -> None:
    _, end, until = KINDS[kind].moment.rpartition(";")
    assert end
    assert until.strip().startswith(("until ", "for "))


@pytest.mark.parametrize(("kind", "channel"), FORMS)
def test_every_value_is_missed_when_it_is_not_there(kind: str, channel: Channel) -> None:
    words = rendering.words_in_files(kind, channel)
    with pytest.raises(WordsError, match="there is no value for"):
        rendering.render(words, {}, channel=channel, is_attached=False)


@pytest.mark.parametrize(("kind", "channel"), FORMS)
def test_every_message_is_in_plain_english(kind: str, channel: Channel) -> None:
    words = rendering.words_in_files(kind, channel)
    for sample in samples(kind):
        told = rendering.render(words, sample, channel=channel, is_attached=True)
        assert rules.long_sentences(told.text) == []
        assert not {"shall", "hereby", "pursuant", "utilise", "regarding"} & set(told.text.lower().split())


@pytest.mark.parametrize("kind", MAILS)
def test_no_subject_tells_of_the_offence(kind: str) -> None:
    told = rendering.render(
        rendering.words_in_files(kind, Channel.EMAIL), KINDS[kind].sample, channel=Channel.EMAIL, is_attached=True
    )
    assert rules.offence_word(told.subject) == ""
    assert KINDS[kind].sample.get("course", "no course") not in told.subject
    assert 10 <= len(told.subject) <= 70


@pytest.mark.parametrize("kind", TEXTS)
def test_every_text_message_is_short_and_names_no_course(kind: str) -> None:
    sample = KINDS[kind].sample
    told = rendering.render(
        rendering.words_in_files(kind, Channel.SMS), sample, channel=Channel.SMS, is_attached=False
    )
    assert len(told.text) <= 306
    assert sample["course"] not in told.text if "course" in sample else True
    assert rules.offence_word(told.text) == ""


def test_values_are_escaped_in_html_and_nowhere_else() -> None:
    words = Words(subject="For {{ name }}", body="Hello {{ name }}", html="<p>Hello {{ name }}</p>")
    told = rendering.render(words, {"name": "<b>O'Neil & Sons</b>"}, channel=Channel.EMAIL, is_attached=False)
    assert told.subject == "For <b>O'Neil & Sons</b>"
    assert told.text.startswith("Hello <b>O'Neil & Sons</b>\n")
    assert told.body_html == "<p>Hello &lt;b&gt;O&#x27;Neil &amp; Sons&lt;/b&gt;</p>"


@pytest.mark.parametrize(
    ("source", "values", "said"),
    [
        ("a {{ x }} b", {"x": ["one", "two"]}, "a one, two b"),
        ("{% if x %}yes{% else %}no{% endif %}", {"x": ""}, "no"),
        ("{% if not x %}none{% endif %}", {"x": 0}, "none"),
        ("{% if x %}1{% elif y %}2{% else %}3{% endif %}", {"x": "", "y": "there"}, "2"),
        ("{% if x %}{% if y %}both{% endif %}{% endif %}", {"x": 1, "y": 1}, "both"),
        ("one\n{% if x %}\ntwo\n{% endif %}\nthree", {"x": 1}, "one\ntwo\nthree"),
        ("100% {sure}", {}, "100% {sure}"),
    ],
)
def test_the_language(source: str, values: dict[str, object], said: str) -> None:
    assert rules.fill(rules.parse(source), values) == said


@pytest.mark.parametrize(
    "source",
    [
        "{{ name",
        "name }}",
        "{{ name.surname }}",
        "{{ name|safe }}",
        "{{ 7 }}",
        "{{ }}",
        "{% if name %}never closed",
        "{% endif %}",
        "{% else %}",
        "{% if name %}{% else %}{% else %}{% endif %}",
        "{% if name %}{% else %}{% elif name %}{% endif %}",
        "{% if name == 1 %}{% endif %}",
        "{% include 'x' %}",
        "{% load static %}",
        "{# hidden #}",
        "{% if name %}{{ name }{% endif %}",
    ],
)
def test_whatever_else_is_refused(source: str) -> None:
    with pytest.raises(WordsError):
        rules.parse(source)
    assert len(rules.check(Words("Subject", source, "<p>x</p>"), known=KNOWN, is_sms=False)) == 1


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (Words("", "a", "<p>a</p>"), "The subject is empty."),
        (Words("Hi", " \n", "<p>a</p>"), "The text is empty."),
        (
            Words("Hi", "{{ nmae }}", "<p>a</p>"),
            "The text has placeholders that this message does not know: “nmae”.",
        ),
        (
            Words("Your speed awareness course", "a", "<p>a</p>"),
            "The subject must not tell of the offence (“speed”): others may read it.",
        ),
        (
            Words("About {{ course }}", "a", "<p>a</p>"),
            "The subject must not name the course (“course”): others may read it.",
        ),
        (Words("Hi", "a", "<script>x</script>"), "The HTML: <script> is not allowed."),
        (Words("Hi", "a", '<p onclick="x">a</p>'), "The HTML: onclick is not allowed on <p>."),
        (Words("Hi", "a", '<a href="javascript:x">a</a>'), "The HTML: href is not allowed on <a>."),
        (Words("Hi", "a", "<p>a"), "The HTML: <p> is never closed."),
        (Words("Hi", "a", "<p>a</b>"), "The HTML: </b> closes nothing."),
        (Words("Hi", "a", "<!-- x --><p>a</p>"), "The HTML: comments are not allowed."),
        (Words("x" * 121, "a", "<p>a</p>"), "The subject must be one line of at most 120 characters."),
    ],
)
def test_unfit_words_are_refused_with_what_is_wrong(words: Words, problem: str) -> None:
    assert rules.check(words, known=KNOWN, is_sms=False) == [problem]


def test_good_words_are_not_refused() -> None:
    assert rules.check(GOOD, known=KNOWN, is_sms=False) == []


def test_long_sentences_are_found() -> None:
    long = " ".join(["word"] * 26) + "."
    assert rules.long_sentences(f"Short. {long}\nShort again.") == [long]
    assert rules.long_sentences(" ".join(["word"] * 25) + ". https://a.example/") == []
