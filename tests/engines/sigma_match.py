"""Which Sigma rules match which events: sigma_match.py RULES EVENTS.json

RULES is a rule file or a folder of them; EVENTS is a JSON array of flat objects (a field's value is a string, a number,
a boolean or null), taken to be of the log source of each rule. pySigma's SQLite backend makes a query of each rule and
SQLite runs it. Prints {rule id: [[index of an event, ...], ...]}: one list for each match, which for a correlation names
all the events that made it. A rule that only serves a correlation does not match by itself.

Where SQLite is not Sigma: strings are compared without regard to case, as Sigma says (`=` in SQLite is exact), prefixes are
compared as networks (the backend expands them to text), and regular expressions are Python's.
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

TABLE = "logs"


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


def refuse_two_spellings(fields):
    """SQLite does not see the case of a field's name. Sigma does."""
    spelt = {}
    for field in fields:
        if spelt.setdefault(field.lower(), field) != field:
            sys.exit(f"one field in two spellings: {field} and {spelt[field.lower()]}")


def store(connection, events):
    fields = list(dict.fromkeys(field for event in events for field in event))
    columns = "".join(f", {quoted(field)} COLLATE NOCASE" for field in fields)
    connection.execute(f"CREATE TABLE {TABLE} (event_index INTEGER PRIMARY KEY{columns})")
    for index, event in enumerate(events):
        if any(isinstance(value, (list, dict)) for value in event.values()):
            sys.exit(f"event {index} is not flat")
        places = ", ?" * len(fields)
        values = [event.get(field) for field in fields]
        connection.execute(f"INSERT INTO {TABLE} VALUES (?{places})", [index, *values])
    return fields


def matches(connection, rule):
    if rule["result_type"] == "correlation":
        alerts, _ = execute_plan(connection, rule["correlation_plan"], include_events=False)
        return [sorted(int(event.split(":", 1)[1]) for event in alert["event_ids"]) for alert in alerts]
    ensure_fields(connection, {TABLE: rule["required_fields"]})
    found = {row["event_index"] for query in rule["rule"] for row in connection.execute(query)}
    return [[index] for index in sorted(found)]


def main():
    path, events = pathlib.Path(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text("utf-8"))
    rules = SigmaCollection.load_ruleset([path])
    if not rules.rules:
        sys.exit(f"no rule in {path}")
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.create_function("REGEXP", 2, regexp, deterministic=True)
    connection.create_function("in_network", 2, in_network, deterministic=True)

    converted = json.loads(Backend(collate_nocase=True).convert(rules, "zircolite"))
    fields = store(connection, events)
    refuse_two_spellings([*fields, *(field for rule in converted for field in rule["required_fields"])])
    found = {}
    for rule in converted:
        if not rule["id"]:
            sys.exit(f"a rule without an id: {rule['title']}")
        found[rule["id"]] = sorted(matches(connection, rule))
    print(json.dumps(found, sort_keys=True))


main()
