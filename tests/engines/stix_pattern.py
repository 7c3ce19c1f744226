"""The OASIS validator of patterns: reads a JSON array of patterns, prints an array with the errors of each.

stix_pattern.py [2.0|2.1] <PATTERNS.json
"""

import json
import sys

from stix2patterns.validator import run_validator

version = sys.argv[1] if len(sys.argv) > 1 else "2.1"
print(json.dumps([run_validator(pattern, version) for pattern in json.load(sys.stdin)]))
