"""Patterns a second for the reference validator, stix2-patterns 2.1.2, over files with a pattern a line.

    pip install stix2-patterns==2.1.2
    python tests/bench/peers/oasis.py simple.txt complex.txt

The files are those that the benchmark beside it writes with `--write`. Each file is read once: the validator is slow
enough to be measured so.
"""

import sys
import time

from stix2patterns.validator import run_validator


def accepts(pattern: str) -> bool:
    """Whether the validator finds nothing wrong; where it crashes, it doesn't accept."""
    try:
        return not run_validator(pattern, stix_version="2.1")
    except (AttributeError, RecursionError, UnboundLocalError):
        return False


print("| file | patterns | accepted | patterns/s |")
print("|---|---|---|---|")
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        patterns = file.read().splitlines()
    start = time.perf_counter()
    accepted = sum(accepts(pattern) for pattern in patterns)
    rate = len(patterns) / (time.perf_counter() - start)
    print(f"| {path.rsplit('/', 1)[-1]} | {len(patterns)} | {accepted} | {rate:.0f} |")
