"""What resolving paths needs to know of a document, gathered once: elements by type, canonical steps, units."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from nmlopt.document.grammar import Step, identity, reference
from nmlopt.document.model import Document, Element
from nmlopt.document.numbers import TEXT_ATTRIBUTES, TEXT_ELEMENTS
from nmlopt.units import UnitTable, core_units, extend


class Index:
    """Elements of a document that may hold numbers, in its order; annotations and notes are left out."""

    def __init__(self, document: Document) -> None:
        self.elements: list[Element] = []
        self.by_type: defaultdict[str, list[Element]] = defaultdict(list)
        self._step: dict[Element, Step] = {}
        self._siblings: dict[Element, Sequence[Element]] = {}
        self._path: dict[Element, str] = {}
        top = [e for e in document.components() if e.tag not in TEXT_ELEMENTS]
        self._tops = frozenset(top)
        self._name(top)
        stack = top[::-1]
        while stack:
            element = stack.pop()
            self.elements.append(element)
            for name in _types(element):
                self.by_type[name].append(element)
            children = [e for e in element.children if e.tag not in TEXT_ELEMENTS]
            if children:
                self._name(children)
                stack.extend(reversed(children))

    def holds(self, element: Element) -> bool:
        """Whether the element belongs to the index (and not to an annotation, say)."""
        return element in self._step

    def chain(self, element: Element) -> list[Element]:
        """The element and its ancestors up to the top-level component, lowest first."""
        chain = [element]
        while chain[-1] not in self._tops:
            parent = chain[-1].parent
            assert parent is not None  # every element of the index is below a top-level one
            chain.append(parent)
        return chain

    def matches(self, step: Step, element: Element) -> bool:
        """Whether a step means the element, its ordinal among the siblings included."""
        if not step.matches(element):
            return False
        if step.ordinal is None:
            return True
        like = [e for e in self._siblings[element] if step.matches(e)]
        return len(like) >= step.ordinal and like[step.ordinal - 1] is element

    def path(self, element: Element) -> str:
        """The canonical path of an element: its canonical steps from the top-level component on."""
        known = self._path.get(element)
        if known is None:
            above = "" if element in self._tops or element.parent is None else self.path(element.parent) + "/"
            known = self._path[element] = above + str(self._step[element])
        return known

    def _name(self, siblings: Sequence[Element]) -> None:
        """Give each its canonical step: `type:id`, else `type`, else `type[@reference=..]`; if shared, counted."""
        total: Counter[Step] = Counter()
        for element in siblings:
            total.update(_candidates(element))
        seen: Counter[Step] = Counter()
        for element in siblings:
            self._siblings[element] = siblings
            own = _candidates(element)
            seen.update(own)
            usual = own[: 1 if identity(element) is not None else len(own)]
            step = next((s for s in usual if s.type == element.tag and total[s] == 1), None)
            if step is None:
                first = own[0]
                step = Step(first.type, first.id, first.tests, seen[first])
            self._step[element] = step


_INDICES: WeakKeyDictionary[Document, Index] = WeakKeyDictionary()
_UNITS: WeakKeyDictionary[Document, UnitTable] = WeakKeyDictionary()


def index(document: Document) -> Index:
    """The index of a document, made at the first call."""
    known = _INDICES.get(document)
    if known is None:
        known = _INDICES[document] = Index(document)
    return known


def unit_table(document: Document) -> UnitTable:
    """The units that are known in a document: the core's and its own. Raises UnitsError U005."""
    known = _UNITS.get(document)
    if known is None:
        top = list(document.components())
        dimensions = [e.attributes for e in top if e.tag == "Dimension"]
        units = [e.attributes for e in top if e.tag == "Unit"]
        known = _UNITS[document] = extend(core_units(), dimensions, units)
    return known


def _types(element: Element) -> tuple[str, ...]:
    other = element.attributes.get("type")
    return (element.tag,) if other is None or other == element.tag else (element.tag, other)


def _candidates(element: Element) -> list[Step]:
    """The steps that could name the element among its siblings, best first; all that another's step could clash with.

    Only references tell siblings apart, not numbers: a path must stay the same when a number is edited.
    """
    id_ = identity(element)
    steps: list[Step] = []
    for name in _types(element):
        if id_ is not None:
            steps.append(Step(name, id_))
        steps.append(Step(name))
        if id_ is None:
            names = [a for a in element.attributes if a in TEXT_ATTRIBUTES and a != "segmentGroup"]
            tests = [(a, reference(element, a)) for a in ("segmentGroup", *names)]
            steps += [Step(name, None, ((a, text),)) for a, text in tests if text is not None]
    return steps
