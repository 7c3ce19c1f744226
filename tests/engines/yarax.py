"""yara-x: yarax.py RULES.yar [--define NAME=VALUE ...] [FILE ...]

Compiles the rules, scans the files (of a folder, those in it), and prints {"errors": [...], "warnings": [...], "matches": {FILE: [rule, ...]}}.
Nothing is scanned when there are errors. --define gives an external variable, a string.
"""

import argparse
import json
import pathlib

import yara_x

parser = argparse.ArgumentParser()
parser.add_argument("rules", type=pathlib.Path)
parser.add_argument("--define", action="append", default=[])
parser.add_argument("files", nargs="*")
arguments = parser.parse_args()

compiler = yara_x.Compiler()
for definition in arguments.define:
    name, _, value = definition.partition("=")
    compiler.define_global(name, value)
try:
    compiler.add_source(arguments.rules.read_text("utf-8"))
except yara_x.CompileError:
    pass

matches = {}
if not compiler.errors():
    scanner = yara_x.Scanner(compiler.build())
    for given in arguments.files:
        path = pathlib.Path(given)
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            matches[str(file)] = [rule.identifier for rule in scanner.scan_file(file).matching_rules]
print(json.dumps({"errors": compiler.errors(), "warnings": compiler.warnings(), "matches": matches}, sort_keys=True))
