"""What stix-shifter makes of the patterns of the scoreboard, as a table in markdown. No data source is asked: it only translates.

Each answer is one of these, by the rules below, which look at the pattern and at the text of the query:

  refused   no query, and an error that says so
  correct   a query, and no rule has anything against it
  wrong     a query that means something else, and nothing says so; the number is that of the rule

Two things are not held against a query: the fields that a module chose for a property, and the window of five minutes that it
adds where the pattern names no time.
"""

import contextlib
import io
import logging
import pathlib
import re

logging.disable(logging.CRITICAL)
from stix_shifter.stix_translation.stix_translation import StixTranslation  # noqa: E402  its import logs

MODULES = ("splunk", "elastic_ecs", "azure_sentinel", "qradar")
HERE = pathlib.Path(__file__).parent
RULES = {
    1: "a value of the pattern is missing",
    2: "AND or FOLLOWEDBY between observations became OR, or separate queries",
    3: "the number of a REPEATS or WITHIN is missing",
    4: "a negated test on several fields holds where any of them differs",
    5: "a regular expression is looked for as plain text",
    6: "a field in small letters is compared with capitals: nothing is ever found",
    7: "`=`, or a LIKE that names an end, became a search for a part of the text",
    8: "the query is not well-formed",
}


def plain(text):
    """Without what escapes differ in."""
    return re.sub(r"[\\^$%*]", "", text).lower()


def literals(pattern):
    return [text.replace("\\\\", "\\") for text in re.findall(r"'((?:[^'\\]|\\.)*)'", re.sub(r"t'[^']*'|\.'[^']*'", "", pattern))]


def against(pattern, query):
    """The number of the first rule that speaks against the query."""
    lower = query.lower()
    own = re.sub(r"earliest=\S+|@timestamp:\[[^]]*\]|\blast \d+ minutes|limit \d+|eventDateTime \w+ \S+", "", query)
    # What a type test says is said by the other test; a protocol may be asked for by its number.
    values = [value for value in literals(pattern) if value not in ("ipv4-addr", "tcp")]
    if any(plain(value) not in plain(query) for value in values):
        return 1
    if re.search(r"\] (AND|FOLLOWEDBY) \[", pattern) and not re.search(r"transaction|sequence|maxspan|\bjoin\b", lower):
        return 2
    for number in re.findall(r"(?:REPEATS|WITHIN) (\d+)", pattern):
        if not re.search(rf"\b{number}\b", own):
            return 3
    if re.search(r"NOT (=|LIKE)|!=", pattern) and re.search(r"\(NOT [^()]*\([^()]*(\([^()]*\))?[^()]*\)+ OR \(NOT", query):
        return 4
    if "MATCHES" in pattern and not re.search(r"match\(|matches '|: /", lower):
        return 5
    if re.search(r"tolower\([^)]*\)(?: eq|,) '[^']*[A-Z]", query):
        return 6
    for value in values:
        part = re.escape(value.strip("%"))
        looks_inside = rf"contains\([^,]*\), '{part}'|LIKE '%+{part}%'"
        if not value.endswith("%") and "MATCHES" not in pattern and re.search(looks_inside, query):
            return 7
    if re.search(r"hashType eq [^'\s]", query):
        return 8
    return None


def ask(translation, module, pattern):
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        answer = translation.translate(module, "query", "{}", pattern, {})
    if "queries" not in answer:
        return "refused"
    queries = [query["alert"] if isinstance(query, dict) and "alert" in query else str(query) for query in answer["queries"]]
    # Behind `| head` a query for Splunk names the fields to show.
    found = against(pattern, "\n".join(query.rsplit(" | head ", 1)[0] for query in queries))
    return "correct" if found is None else f"wrong ({found})"


def main():
    patterns = (HERE / "patterns.txt").read_text("utf-8").splitlines()
    translation = StixTranslation()
    rows = [[ask(translation, module, pattern) for module in MODULES] for pattern in patterns]
    print("| # | pattern | " + " | ".join(MODULES) + " |")
    print("|---" * (2 + len(MODULES)) + "|")
    for number, (pattern, row) in enumerate(zip(patterns, rows), 1):
        shown = pattern.replace("|", "\\|")
        shown = shown if len(shown) <= 90 else shown[:87] + "..."
        print(f"| {number} | `{shown}` | " + " | ".join(row) + " |")
    for word in ("correct", "refused", "wrong"):
        print(f"| | **{word}** | " + " | ".join(str(sum(row[i].startswith(word) for row in rows)) for i in range(len(MODULES))) + " |")
    print()
    for number, rule in RULES.items():
        print(f"{number}. {rule}")


main()
