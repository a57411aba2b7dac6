"""The language of every text: comments, documents, pages, messages. CONTRIBUTING.md has the rules.

`OPENINGS` and `WORDS` are the rules that a program can check. Code in backticks is not checked.
"""

import functools
import json
import pathlib
import re
import subprocess
import unittest

# How no sentence begins, and what to write instead. Questions are exempt.
OPENINGS = [
    (r"Who\b", "name the subject: 'A lead that …', 'Users …'"),
    (r"Whom\b", "name the subject"),
    (r"What\b", "name the subject: 'The events that …'"),
    (r"Nor\b", "write a sentence of its own with 'not'"),
    (r"It is no\b", "'It isn't a …'"),
    (r"Those (?:that|who|which|of)\b", "name the subject: 'Items that …'"),
]

# Words to avoid, as a regular expression for any case, and their replacements.
WORDS = [
    (r"e-mail", "email"),
    (r"small letters?", "lowercase letters"),
    (r"lower-case", "lowercase"),
    (r"upper-case", "uppercase"),
    (r"unwanted mail", "spam folder"),
    (r"the reference(?='s)|the reference(?! (?:to|of|for|document|manual)\b)(?=\s+[a-z]+s\b)", "ARC SaaS"),
    (r"(?:to |for |from |by )?whom", "a noun"),
    (r"(?:what|whatever) (?:became|becomes|has become) of", "the result of"),
    (r"where (?:there is|there are|it has|it is) (?:none|no|one)\b", "if there is …"),
    (r"out of sight", "hidden, or soft-deleted"),
    (r"for ever\b", "permanently, or never"),
    (r"comes? true", "succeeds"),
    (r"log in(?= to| with|\b[.,])", "sign in"),
    (r"(?<!there )(?:is|was|are) no (?:json|uuid|number|object|array|string|email|member|date)\b", "is not …"),
    (r"softly deleted", "soft-deleted"),
    (r"failure queues?\b", "dead-letter queue"),
    (r"(?:refused|failed|fails|deleted|request|closed|lost) for good\b", "permanently"),
    (r"(?:somebody|anybody|everybody|whoever)\b(?!@)", "the noun: a user, a lead, every caller"),
    (r"(?:is|are) had back", "is recovered"),
]

# As `WORDS`, in documents, pages and the API's document.
VISIBLE_WORDS = [
    (r"(?<![\w/.@-])mails?(?![\w/@:-]|\.\w)", "email"),
    (r"mailed", "emailed, or sent"),
    (r"(?:the|an|its|their|this|that|each|by|with|no|every|of) (?-i:ids?)(?![\w-])", "ID"),
]

# Citations of what is not in the repository.
CITATIONS = re.compile(r"\b(?:CONTRACT|DESIGN|STYLE)\b(?:\.md)?(?: ?§\d*)?")

ROOT = pathlib.Path(__file__).parent.parent
FOREIGN = ("functions/home/assets/swagger-ui/", "functions/invoices/fonts/", "LICENSE", "tests/language_test.py")
BINARY = (".png", ".ttf", ".otf", ".pem", ".snap", ".txt", ".lock", ".svg")
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
FILES = [name for name in TRACKED if not name.startswith(FOREIGN) and not name.endswith(BINARY)]

RUST = re.compile(
    r"""(?P<comment>//[/!]?[^\n]*(?:\n[ \t]*//[/!]?[^\n]*)*)
    |(?:\br(?P<fence>\#*)"(?P<raw>.*?)"(?P=fence))
    |"(?P<string>(?:[^"\\]|\\.)*)"
    |'(?:[^'\\\n]|\\[^\n]{1,9}?)'""",
    re.DOTALL | re.VERBOSE,
)
SCRIPT = re.compile(
    r"""(?P<comment>/\*.*?\*/|(?<![:'"`\w])//[^\n]*(?:\n[ \t]*//[^\n]*)*)
    |(?P<quote>["'`])(?P<string>(?:(?!(?P=quote))[^\\]|\\.)*?)(?P=quote)""",
    re.DOTALL | re.VERBOSE,
)
PYTHON = re.compile(
    r"""(?P<long>(?:\"{3}).*?(?:\"{3}))
    |(?P<comment>\#[^\n]*(?:\n[ \t]*\#[^\n]*)*)
    |(?P<quote>["'])(?P<string>(?:(?!(?P=quote))[^\\\n]|\\.)*)(?P=quote)""",
    re.DOTALL | re.VERBOSE,
)
HASH = re.compile(r"(?P<comment>(?:(?<=\s)|^)\#[ !][^\n]*(?:\n[ \t]*\#[^\n]*)*)", re.MULTILINE)
DESCRIPTION = re.compile(r"""^ *(?:- )?\w*Description: *(?P<string>[^\n]+)""", re.MULTILINE)
MARKS = re.compile(r"^[ \t]*(?://[/!]?|\#+!?|/\*+|\*/|\*(?= )|--)[ ]?", re.MULTILINE)

# The patterns that find the texts of a file. Comments are Markdown; a string is a text if it has a space.
FORMATS = {
    ".rs": [RUST], ".js": [SCRIPT], ".mjs": [SCRIPT], ".py": [PYTHON], ".yaml": [HASH, DESCRIPTION], ".yml": [HASH],
    ".toml": [HASH], ".sh": [HASH], ".lua": [re.compile(r"(?P<comment>--[^\n]*(?:\n[ \t]*--[^\n]*)*)")],
    ".css": [re.compile(r"(?P<comment>/\*.*?\*/)", re.DOTALL)],
}
VISIBLE = {".md", ".html", ".json"}

PATH = re.compile(r"(?<![\w./-])((?:shared|functions|infra|tests)/[\w./-]*\.(?:md|py|yaml|sh)|[A-Z]{5,}\.md)(#[\w-]+)?")


def strings_of(value):
    """Yields the summaries and descriptions of an OpenAPI document."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key in ("summary", "description") and isinstance(one, str):
                yield one
            else:
                yield from strings_of(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings_of(one)


@functools.cache
def texts(name):
    return list(texts_of(name))


def texts_of(name):
    """Yields the texts of a file, each with the offset at which it begins."""
    source, suffix = (ROOT / name).read_text(), pathlib.Path(name).suffix
    if suffix == ".md":
        yield 0, re.sub(r"^#+ .*$", lambda heading: " " * len(heading[0]), source, flags=re.MULTILINE)
    elif suffix == ".html":
        for found in re.finditer(r"<!--(.*?)-->|>([^<>]+)<|(?:title|placeholder|alt|aria-label)=\"([^\"]+)\"", source, re.DOTALL):
            yield found.start(found.lastindex), found[found.lastindex]
    elif name.endswith("openapi.json"):
        for text in strings_of(json.loads(source)):
            yield source.find(json.dumps(text, ensure_ascii=False)[1:40]), text
    for pattern in FORMATS.get(suffix, [HASH] if source.startswith("#!") else []):
        for found in pattern.finditer(source):
            groups = {key: value for key, value in found.groupdict().items() if value}
            kind = next((kind for kind in ("comment", "long", "raw", "string") if kind in groups), None)
            if not kind:
                continue
            text = groups[kind]
            if kind == "comment":
                # Marks become spaces, so that offsets stay.
                yield found.start(kind), MARKS.sub(lambda mark: " " * len(mark[0]), text)
            elif kind == "long":
                yield found.start(kind), text.replace('"""', "   ")
            elif " " in text and "\n\n" not in text:
                yield found.start(kind), text


def blank(found):
    return re.sub(r"[^\n]", "x", found[0])


def sentences(text):
    """Yields the sentences of a text in Markdown, each with its offset; code is blanked."""
    text = re.sub(r"^[ \t]*```.*?^[ \t]*```", blank, text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"`[^`\n]*`|\]\([^)\s]*\)|https?://\S+|\{[{%].*?[%}]\}", blank, text)
    at = 0
    for end in re.finditer(r"(?<=[.!?])[\"')*_]*\s+(?=[A-Z`\"'(\[*_])|\n[ \t]*\n|\n(?=[ \t]*(?:[-*|]|\d+\.) )| ?\| ?|\Z|: (?=[A-Z])", text):
        sentence = text[at : end.start()]
        lead = len(sentence) - len(sentence.lstrip(" \t\n*-_\"'(["))
        if sentence[lead:]:
            yield at + lead, sentence[lead:]
        at = end.end()


def compiled(table):
    return [(re.compile(rf"\b(?:{pattern})" if pattern[0].isalpha() else pattern, re.IGNORECASE), advice) for pattern, advice in table]


ANY_OPENING = re.compile("|".join(pattern for pattern, _ in OPENINGS))
ANY_WORD = re.compile("|".join(pattern for pattern, _ in WORDS + VISIBLE_WORDS), re.IGNORECASE)
ALL_WORDS, ALL_VISIBLE = compiled(WORDS), compiled(WORDS + VISIBLE_WORDS)


def findings(name):
    """Yields the violations in the texts of a file: offset, words, advice."""
    for start, text in texts(name):
        for found in CITATIONS.finditer(text):
            yield start + found.start(), found[0], "cite a document of the repository"
        visible = pathlib.Path(name).suffix in VISIBLE
        for at, sentence in sentences(text):
            if ANY_OPENING.match(sentence) and not sentence.rstrip(" \n)\"'*").endswith("?"):
                advice = next(advice for pattern, advice in OPENINGS if re.match(pattern, sentence))
                yield start + at, " ".join(sentence.split())[:70], advice
            if ANY_WORD.search(sentence):
                for pattern, advice in ALL_VISIBLE if visible else ALL_WORDS:
                    for found in pattern.finditer(sentence):
                        yield start + at + found.start(), found[0], f"write '{advice}'"


def anchors(page):
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^ *```.*?^ *```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def line_of(name, offset):
    return (ROOT / name).read_text().count("\n", 0, offset) + 1


class Language(unittest.TestCase):
    maxDiff = None

    def test_every_text_is_plain_english(self):
        found = [
            f"{name}:{line_of(name, at)}: {words!r}: {advice}" for name in FILES for at, words, advice in findings(name)
        ]
        self.assertEqual(len(found), 0, "\n" + "\n".join(found))

    def test_every_document_that_a_comment_names_is_there(self):
        lost, checked = [], 0
        for name in FILES:
            if name.endswith((".md", ".json")):
                continue
            for start, text in texts(name):
                for found in PATH.finditer(text):
                    checked += 1
                    page, anchor = ROOT / found[1], (found[2] or "")[1:]
                    if not page.exists() or anchor and anchor not in anchors(page):
                        lost.append(f"{name}:{line_of(name, start + found.start())}: {found[0]}")
        self.assertEqual(lost, [])
        self.assertGreater(checked, 10)

    def test_the_rules_find_what_they_are_for(self):
        for text, wrong in [
            ("Whom to ask. Good.", True), ("What is it?", False), ("A lead. Nor is it deleted.", True),
            ("An e-mail", True), ("`e-mail`", False), ("where there is none", True), ("The reference", False),
            ("as the reference does", True), ("the reference's codes", True), ("It is no JSON.", True),
        ]:
            bad = any(
                ANY_OPENING.match(one) and not one.endswith("?") or any(pattern.search(one) for pattern, _ in ALL_WORDS)
                for _, one in sentences(text)
            )
            self.assertEqual(bad, wrong, text)


if __name__ == "__main__":
    unittest.main()
