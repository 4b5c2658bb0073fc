"""The page and the JSON document of a verification."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from nmlopt.errors import Issue, ResultsError
from nmlopt.results import plots
from nmlopt.results import verification_view as view
from nmlopt.results.faults import reported
from nmlopt.results.files import new_folder, write_file
from nmlopt.results.verification import VerificationDocument, sentence
from nmlopt.results.wording import duration, number
from nmlopt.verify.model import SideStatus, Verification

PAGE, DOCUMENT = "verification.html", "verification.json"


def write_verification(
    found: Verification, document: VerificationDocument, page: Path | None, folder: Path | None
) -> tuple[Path, ...]:
    """Write the page to `page`, and page and JSON into the new folder `folder`, whichever are given; the files.

    Raises ResultsError R001 where they exist, R002, R003.
    """
    if page is None and folder is None:
        return ()
    text = render(found, document).encode()
    files: list[Path] = []
    if folder is not None:
        with reported(folder), new_folder(folder) as part:
            (part / PAGE).write_bytes(text)
            (part / DOCUMENT).write_text(to_json(document), encoding="utf-8")
        files += [folder / PAGE, folder / DOCUMENT]
    if page is not None:
        require_absent(page)
        with reported(page.parent):
            page.parent.mkdir(parents=True, exist_ok=True)
            write_file(page, text)
        files.append(page)
    return tuple(files)


def require_absent(path: Path) -> None:
    """Raise ResultsError R001 where a file of that name exists."""
    if path.exists() or path.is_symlink():
        raise ResultsError(Issue("R001", "the file exists and is not replaced", str(path), "choose another name"))


def to_json(document: VerificationDocument) -> str:
    """The document as text."""
    return document.model_dump_json(indent=2) + "\n"


def render(found: Verification, document: VerificationDocument) -> str:
    """The page, one file that needs nothing else; all text is escaped."""
    environment = Environment(
        loader=PackageLoader("nmlopt.results"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    traces = {s.name: s.finest.traces for s in found.sides if s.status is SideStatus.OK and s.finest is not None}
    return environment.get_template("verification.html.j2").render(
        title=f"{document.model} on {_listed([b.name for b in document.backends])}",
        version=version("nmlopt"),
        found=document,
        level=view.level(document),
        sentence=sentence(document),
        ran=view.ran(document),
        steps={b.name: ", ".join(f"{dt:g}" for dt in b.dt_ms) for b in document.backends},
        targets=view.target_rows(document),
        recordings=view.recording_rows(document),
        findings=[finding.text for finding in document.findings],
        figures=[(e.id, plots.overlaid(e, traces)) for e in found.subject.experiments] if traces else [],
        number=number,
        duration=duration,
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else "".join(names)
