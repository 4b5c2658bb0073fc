"""The verb that makes a cell of a morphology file."""

from __future__ import annotations

import argparse

from nmlopt.cli.output import issue_rows, say, show_issues, show_json, show_table
from nmlopt.units import Quantity

EXIT_DONE = 0


def import_morphology(args: argparse.Namespace) -> int:
    """Write the cell, and show what its regions amount to."""
    from nmlopt.importers import morphology  # loads numpy

    cell = morphology.import_morphology(
        args.morphology,
        cell_id=args.id,
        longest_um=Quantity.parse(args.max_length).to("um").value,
        with_stub_axon=args.replace_axon,
    )
    morphology.write_cell(cell, args.out)
    if args.json:
        regions = [
            {
                "id": r.id,
                "sections": r.sections,
                "compartments": r.compartments,
                "length_um": r.length_um,
                "area_um2": r.area_um2,
            }
            for r in cell.regions
        ]
        show_json({"file": str(args.out), "cell": cell.id, "regions": regions, "issues": issue_rows(cell.notices)})
        return EXIT_DONE
    show_issues(cell.notices)
    columns = ("segmentGroup", "sections", "compartments", "length (um)", "area (um2)")
    rows = [
        (r.id, str(r.sections), str(r.compartments), f"{r.length_um:.6g}", f"{r.area_um2:.6g}") for r in cell.regions
    ]
    show_table(f"cell {cell.id}", columns, rows)
    say(f"wrote {args.out}; it has no biophysicalProperties yet: add them, then: nmlopt check {args.out}")
    return EXIT_DONE
