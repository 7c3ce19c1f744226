"""Which Sigma rules match which events: match.py CASES.json

CASES.json is an array of cases, each with its own rules and its own events, so that one start answers for thousands:

    [{"rules": ["<YAML documents>", ...],
      "runs": [[{"at": <seconds since 1970>, "logsource": {"category": ..., "product": ..., "service": ...},
                 "fields": {<name>: <string, number, boolean or null>, ...}}, ...], ...]}, ...]

A run is a stretch of events that begins with nothing seen before. An event without a logsource is one for each rule.
pySigma's SQLite backend makes a query of each rule and SQLite runs it. Prints, for each case and each run of it,
{rule id: [[index of an event, ...], ...]}: one list for each match, which for a correlation names all the events that
made it. A rule that only serves a correlation does not match by itself.

Where SQLite is not Sigma: strings are compared without regard to case, as Sigma says (`=` in SQLite is exact), prefixes
are compared as networks (the backend expands them to text), and regular expressions are Python's.
"""

import ipaddress
import json
import pathlib
import re
import sqlite3
import sys

from sigma.backends.sqlite import sqliteBackend
from sigma.backends.sqlite.runtime import ensure_fields, execute_plan
from sigma.collection import SigmaCollection
from sigma.processing.pipeline import ProcessingPipeline
from sigma.processing.transformations import AddConditionTransformation
from sigma.rule import SigmaRule

TABLE = "logs"
SOURCE = ("category", "product", "service")


class Backend(sqliteBackend):
    def convert_condition_field_eq_val_cidr(self, cond, state):
        return f"in_network({self.escape_and_quote_field(cond.field)}, '{cond.value.network}')"


def in_network(value, network):
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(network)
    except ValueError:
        return False


def regexp(pattern, value):
    return value is not None and re.search(pattern, str(value)) is not None


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def source_field(key):
    return "logsource." + key


def refuse_two_spellings(fields):
    """SQLite does not see the case of a field's name. Sigma does."""
    spelt = {}
    for field in fields:
        if spelt.setdefault(field.lower(), field) != field:
            sys.exit(f"one field in two spellings: {field} and {spelt[field.lower()]}")


def parsed(texts, with_source):
    rules = SigmaCollection.merge([SigmaCollection.from_yaml(text) for text in texts])
    if not rules.rules:
        sys.exit("no rule")
    for rule in rules.rules:
        if not rule.id:
            sys.exit(f"a rule without an id: {rule.title}")
        if with_source and isinstance(rule, SigmaRule):
            wanted = {source_field(key): getattr(rule.logsource, key) for key in SOURCE if getattr(rule.logsource, key)}
            add = AddConditionTransformation(conditions=wanted)
            add.set_pipeline(ProcessingPipeline())
            add.apply(rule)
    rules.resolve_rule_references()
    return rules


def store(connection, events, required):
    """Makes the table of these events: (index, event) pairs."""
    fields = list(dict.fromkeys(field for _, event in events for field in event))
    refuse_two_spellings([*fields, *required])
    columns = "".join(f", {quoted(field)} COLLATE NOCASE" for field in fields)
    connection.execute(f"DROP TABLE IF EXISTS {TABLE}")
    connection.execute(f"CREATE TABLE {TABLE} (event_index INTEGER PRIMARY KEY{columns})")
    places = ", ?" * len(fields)
    for index, event in events:
        if any(isinstance(value, (list, dict)) for value in event.values()):
            sys.exit(f"event {index} is not flat")
        values = [event.get(field) for field in fields]
        connection.execute(f"INSERT INTO {TABLE} VALUES (?{places})", [index, *values])


def row(event):
    source = event.get("logsource") or {}
    row = {source_field(key): source[key] for key in SOURCE if key in source}
    if "at" in event:
        row["timestamp"] = event["at"]
    return {**row, **event["fields"]}


def matches(connection, rule):
    if rule["result_type"] == "correlation":
        alerts, _ = execute_plan(connection, rule["correlation_plan"], include_events=False)
        return [sorted(int(event.split(":", 1)[1]) for event in alert["event_ids"]) for alert in alerts]
    ensure_fields(connection, {TABLE: rule["required_fields"]})
    # SQLite takes no query with a NUL in it; inside a string it can be put together.
    queries = [query.replace("\0", "' || char(0) || '") for query in rule["rule"]]
    found = {row["event_index"] for query in queries for row in connection.execute(query)}
    return [[index] for index in sorted(found)]


def answer(connection, case):
    runs = case["runs"]
    with_source = any(event.get("logsource") for run in runs for event in run)
    converted = json.loads(Backend(collate_nocase=True, timestamp_format="unix").convert(parsed(case["rules"], with_source), "zircolite"))
    required = [field for rule in converted for field in rule["required_fields"]]
    events = [(number, row(event)) for number, run in enumerate(runs) for event in run]
    if any(rule["result_type"] == "correlation" for rule in converted):
        found = []
        for number in range(len(runs)):
            own = [event for of, event in events if of == number]
            store(connection, list(enumerate(own)), required)
            found.append({rule["id"]: sorted(matches(connection, rule)) for rule in converted})
        return found
    # Without a correlation no event has to do with another: one table takes all runs.
    store(connection, list(enumerate(event for _, event in events)), required)
    first, firsts = 0, []
    for run in runs:
        firsts.append(first)
        first += len(run)
    found = [{rule["id"]: [] for rule in converted} for _ in runs]
    for rule in converted:
        for (index,) in matches(connection, rule):
            number = events[index][0]
            found[number][rule["id"]].append([index - firsts[number]])
    return found


def main():
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.create_function("REGEXP", 2, regexp, deterministic=True)
    connection.create_function("in_network", 2, in_network, deterministic=True)
    cases = json.loads(pathlib.Path(sys.argv[1]).read_text("utf-8"))
    json.dump([answer(connection, case) for case in cases], sys.stdout, sort_keys=True)


main()
