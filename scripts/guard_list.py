#!/usr/bin/env python3
"""Write a guard list of templates/guard/ anew.

    scripts/guard_list.py NAME --source TEXT --date YYYY-MM-DD INPUT…

An INPUT is a file or a URL: a registry of IANA as CSV (its first column holds prefixes, its second their names), a MISP
warninglist as JSON, or a text with an entry a line. What the head of the list says beside source and date stays; entries
are sorted, each once. Entries that no INPUT has any more go: look at the difference before you commit it.
"""

import argparse
import csv
import io
import ipaddress
import json
import pathlib
import urllib.request

FOLDER = pathlib.Path(__file__).parent.parent / "templates" / "guard"


def read(source):
    if "://" in source:
        with urllib.request.urlopen(source, timeout=60) as reply:
            return reply.read().decode()
    return pathlib.Path(source).read_text()


def entries(text):
    """Pairs of an entry and a note, which may be empty."""
    if text.lstrip().startswith("{"):
        below = json.loads(text)
        # MISP takes a host name for itself and all below it.
        dot = "." if below["type"] == "hostname" else ""
        return [(dot + one.strip().lower().lstrip(".") if dot else one.strip().lower(), "") for one in below["list"]]
    if text.startswith("Address Block,"):
        rows = list(csv.reader(io.StringIO(text)))[1:]
        return [(part.split()[0], row[1].strip('" ')) for row in rows for part in row[0].split(",")]
    lines = (line.split("#", 1) for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return [(line[0].strip(), line[1].strip() if len(line) > 1 else "") for line in lines]


def place(entry):
    try:
        net = ipaddress.ip_network(entry)
        return (net.version, int(net.network_address), net.prefixlen, "")
    except ValueError:
        return (9, 0, 0, entry.lstrip("."))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("--source", required=True)
    parser.add_argument("--date", required=True)
    parser.add_argument("inputs", nargs="+", metavar="INPUT")
    given = parser.parse_args()
    path = FOLDER / f"{given.name}.txt"
    head = [line for line in path.read_text().splitlines() if line.startswith("# ")]
    said = {"source": given.source, "date": given.date}
    head = [f"# {key}: {said.get(key, value)}" for key, value in (line[2:].split(": ", 1) for line in head)]
    found = {}
    for source in given.inputs:
        for entry, note in entries(read(source)):
            found.setdefault(entry, note)
    lines = [f"{entry} # {found[entry]}" if found[entry] else entry for entry in sorted(found, key=place)]
    path.write_text("\n".join(head + lines) + "\n")


if __name__ == "__main__":
    main()
