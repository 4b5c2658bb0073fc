"""What a model defines or includes and never uses; only where it holds a cell that could use it."""

from __future__ import annotations

from collections.abc import Iterator

from nmlopt.document.model import Document, Element, SourceFile, is_include
from nmlopt.errors import Issue, NmloptError, Severity
from nmlopt.ir.choose import is_cell
from nmlopt.lems.resolve import Components
from nmlopt.lems.types import place
from nmlopt.lint.walk import NO_COMPONENTS

_KINDS = {"baseIonChannel": ("I211", "channel"), "concentrationModel": ("I212", "concentration model")}
_FEW = 3


def unused(document: Document, known: Components) -> Iterator[Issue]:
    """I211 channels and I212 concentration models that nothing names, I218 includes that bring nothing."""
    if not any(is_cell(known, e) for e in known.top):
        return
    idle = _idle_files(document)
    for source in document.files[1:]:
        if source.path in idle:
            include = _include_of(document, source)
            message = f"nothing in the model uses the included file '{source.path}'"
            yield Issue("I218", message, place(include) if include else source.path, "drop it", Severity.WARNING)
    named = _named(document)
    alone: dict[tuple[str, str], list[Element]] = {}
    for element in known.top:
        base = _kind(known, element)
        if base and element.file not in idle and element.attributes.get("id", "") not in named:
            alone.setdefault((element.file, base), []).append(element)
    for (_, base), elements in alone.items():
        code, kind = _KINDS[base]
        names = ", ".join(f"'{e.attributes.get('id', '')}'" for e in elements[:_FEW])
        more = f" and {len(elements) - _FEW} more of this file" if len(elements) > _FEW else ""
        message = f"no cell of the model uses the {kind}{'s' if len(elements) > 1 else ''} {names}{more}"
        yield Issue(code, message, place(elements[0]), "use it or remove it", Severity.WARNING)


def _kind(known: Components, element: Element) -> str:
    """The base type in `_KINDS` of a component; '' if it is of another kind."""
    try:
        found = known.type_of(element)
    except NmloptError:
        return ""
    if element.tag in NO_COMPONENTS or found is None:
        return ""
    return next((base for base in _KINDS if found.extends(base)), "")


def _named(document: Document) -> set[str]:
    """All words by which one element could name another."""
    return {
        text
        for source in document.files
        for element in source.root.walk()
        for attribute, text in element.attributes.items()
        if attribute not in ("id", "name")
    }


def _idle_files(document: Document) -> frozenset[str]:
    """Included files of which no other file names a component, type or unit, neither directly nor through one."""
    defines = {s.path: _defined(s) for s in document.files}
    words = {s.path: _words(s) for s in document.files}
    used = {document.main}
    waiting = [document.main]
    while waiting:
        at = waiting.pop()
        for path, names in defines.items():
            if path not in used and names & words[at]:
                used.add(path)
                waiting.append(path)
    needed = {s.path for s in document.files if _leads_to(document, s, used)}
    return frozenset(s.path for s in document.files if s.path not in used | needed)


def _defined(source: SourceFile) -> frozenset[str]:
    """Ids, type names and unit symbols of the top level of a file."""
    keys = ("id", "name", "symbol")
    return frozenset(e.attributes[k] for e in source.root.children for k in keys if k in e.attributes)


def _words(source: SourceFile) -> frozenset[str]:
    """All by which a file could name something of another: attribute values, element names, units of quantities."""
    found: set[str] = set()
    for element in source.root.walk():
        found.add(element.tag)
        for text in element.attributes.values():
            found.add(text)
            found.add(text.lstrip("+-.0123456789eE ").strip())
    return frozenset(found)


def _leads_to(document: Document, source: SourceFile, used: set[str]) -> bool:
    """Whether a file includes, directly or not, one that is used (a list of includes)."""
    folder = {s.path.rpartition("/")[2]: s for s in document.files}
    waiting, seen = [source], {source.path}
    while waiting:
        for element in waiting.pop().root.children:
            name = (element.attributes.get("href") or element.attributes.get("file") or "").rpartition("/")[2]
            inner = folder.get(name) if is_include(element) else None
            if inner is not None and inner.path not in seen:
                if inner.path in used:
                    return True
                seen.add(inner.path)
                waiting.append(inner)
    return False


def _include_of(document: Document, source: SourceFile) -> Element | None:
    """The first include that brings a file."""
    name = source.path.rpartition("/")[2]
    includes = (e for s in document.files for e in s.root.children if is_include(e))
    return next((e for e in includes if name in (e.attributes.get("href", "") or e.attributes.get("file", ""))), None)
