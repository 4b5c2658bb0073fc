"""Writes the reference page of the codes: `python -m nmlopt.codes > docs/checks.md`."""

import sys

from nmlopt.codes.catalogue import page

sys.stdout.write(page())
