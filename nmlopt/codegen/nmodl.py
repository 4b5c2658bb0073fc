"""NMODL: names, inputs, and the parts that every generated mechanism is put together from.

Equations stay in SI with inward currents positive, as in the document; only the lines that touch NEURON's own
variables (v in mV, i in mA/cm2, concentrations in mM) convert. Parameters that hold for all placements are GLOBAL,
those of one placement are RANGE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from nmlopt.codegen.analysis import Definitions
from nmlopt.codegen.printer import Dialect, Printer, is_product, lines
from nmlopt.ir.model import Assigned, Mechanism
from nmlopt.lems.expression import Call, Expr, Op
from nmlopt.lems.trees import names as names_in
from nmlopt.lems.trees import parts

NMODL = Dialect(
    operators={
        "+": "+", "-": "-", "*": "*", "/": "/", "neg": "-", "not": "!", "and": "&&", "or": "||",
        "<": "<", ">": ">", "<=": "<=", ">=": ">=", "==": "==", "!=": "!=",
    },
    functions={
        "sin": "sin", "cos": "cos", "tan": "tan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "exp": "exp",
        "sqrt": "sqrt", "ceil": "ceil", "log": "log", "abs": "fabs", "H": "heaviside", "exprelr": "exprelr",
    },
    power="power",
)  # fmt: skip
HELPERS = ("power", "exprelr", "heaviside", "growth")
_RESERVED_TEXT = """
    v t dt celsius area diam i g e s secondorder usetable after_cvode power exprelr heaviside vs ts iCa iCa2 cai
    cao ca2i ca2o ica ica2 eca iSyn ISyn drive surfaceArea temperature present start start_given rates advance
    step begin passes hit theta fresh fresh_v first growth integrate flag cap_nF vm h dvdt coefficients table
    states regime gain exp log sin cos tan sinh cosh tanh sqrt ceil fabs pow floor fmod atan atan2 acos asin abs
    slope cond slope_ca cond_ca slope_ca2 cond_ca2 now left spike_t spike_v happen
    weight netcon_weight check holds sum_i sum_g last_i last_g late_i cell_v here there
    if else while for int double float char void return static const class new delete this operator template auto
    register long short signed unsigned struct union enum switch case default break continue goto do sizeof typedef
    extern volatile inline namespace using public private protected friend virtual bool true false try catch throw
    error PI FARADAY R j y
"""
"""The last two because NEURON gives a state `y` a start `y0`, which C's <math.h> has already."""
RESERVED = frozenset(_RESERVED_TEXT.split())
_ENDS = frozenset({"rate", "loss", "gain", "ga", "la", "gb", "lb"})
"""Of names of locals that blocks make for a state; those of choices end in a number."""
ION_VARIABLES = {"caConc": ("ca", "cai"), "caConcExt": ("ca", "cao"), "caConc2": ("ca2", "ca2i"),
                 "caConcExt2": ("ca2", "ca2o"), "iCa": ("ca", "ica"), "iCa2": ("ca2", "ica2")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """One NMODL block: its head (`DERIVATIVE states`), LOCAL names, lines."""

    head: str
    local_names: tuple[str, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ion:
    """A USEION line."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Current:
    """One current of a mechanism: the pool ion it feeds ('' for none) and the variable that holds it, A/m2 inward."""

    ion: str
    variable: str


@dataclass(frozen=True, slots=True)
class ModText:
    """Everything a mod template prints."""

    suffix: str
    title: str
    kind: str
    ions: tuple[Ion, ...]
    nonspecific: str
    thread_safe: bool
    ranges: tuple[str, ...]
    global_names: tuple[str, ...]
    parameters: tuple[str, ...]
    assigned: tuple[str, ...]
    states: tuple[str, ...]
    blocks: tuple[Block, ...]
    helpers: tuple[str, ...]
    pointers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Interface:
    """The variables by which a program binds and reads one mechanism: IR name -> NMODL name.

    `states` leaves out a voltage that is NEURON's own v. `needs_temperature`, `needs_area`: the inputs of that name are
    parameters too.
    """

    shared: Mapping[str, str]
    own: Mapping[str, str]
    states: Mapping[str, str]
    needs_temperature: bool
    needs_area: bool
    has_drive: bool


@dataclass
class Writer:
    """Prints the expressions of one mechanism and gathers what its text must declare.

    `currents`: those of a merged mechanism; else it has one, or none. `clock`: the text for the time in seconds.
    """

    mechanism: Mechanism
    partial: bool
    currents: tuple[Current, ...] = ()
    helpers: set[str] = field(default_factory=set)
    dialect: Dialect = NMODL
    clock: str = "0.001 * t"

    def __post_init__(self) -> None:
        dynamics = self.mechanism.dynamics
        if not self.currents and self.mechanism.current:
            self.currents = (Current(self.mechanism.ion, self.mechanism.current),)
        own = self.variables
        self.names: dict[str, str] = {name: safe(name) for name in own}
        self.names |= {"v": "vs", "t": "ts", "temperature": "temperature", "surfaceArea": "surfaceArea"} | {
            key: variable for key, (_, variable) in ION_VARIABLES.items() if key not in ("iCa", "iCa2")
        }
        self.names |= {"iCa": "iCa", "iCa2": "iCa2", "iSyn": "iSyn", "ISyn": "ISyn"} | {
            name: safe(name) for name in own
        }
        states = [*(s.name for s in dynamics.states), *(name for k in dynamics.kinetics for name in k.states)]
        starts = {f"{self.names[name]}0" for name in states}  # NMODL has a number y0 of its own for each state y
        self.names |= {name: f"{self.names[name]}_" for name in own if self.names[name] in starts}
        self.avoid_locals()
        self.definitions = Definitions(dynamics.assigned)
        self.shared = tuple(p.name for p in self.mechanism.parameters if p.value is not None)
        self.own = tuple(p.name for p in self.mechanism.parameters if p.value is None)

    @property
    def variables(self) -> tuple[str, ...]:
        """The IR names of all that the mechanism has of its own."""
        dynamics = self.mechanism.dynamics
        names = [*(p.name for p in self.mechanism.parameters), *(s.name for s in dynamics.states)]
        names += [*(a.name for a in dynamics.assigned), *(name for k in dynamics.kinetics for name in k.states)]
        return tuple(dict.fromkeys(names))

    def avoid_locals(self) -> None:
        """Rename variables that are called as a local that blocks make for another variable, as `q_loss` beside `q`."""
        given = frozenset(self.names[name] for name in self.variables)
        self.rename(lambda name: _is_local(name, given))

    def rename(self, is_used: Callable[[str], bool]) -> None:
        """Give variables whose names in the language something else uses names that nothing does."""
        taken = {self.names[name] for name in self.variables}
        for name in self.variables:
            while is_used(self.names[name]):
                self.names[name] = f"{self.names[name]}_of"
                while self.names[name] in taken:
                    self.names[name] += "_"
                taken.add(self.names[name])

    def text(self, expr: Expr) -> str:
        """The expression, which holds no `Cases`."""
        self._note(expr)
        return Printer(self.dialect, self.names).expression(expr)

    def assign(self, name: str, expr: Expr, *, prefix: str = "choice") -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(temporary names, lines) that leave `expr` in the NMODL variable `name`."""
        self._note(expr)
        printer = Printer(self.dialect, self.names, prefix=f"{prefix}_")
        text = tuple(lines(printer.assignments(name, expr)))
        return tuple(printer.temporaries), text

    def _note(self, expr: Expr) -> None:
        match expr:
            case Op("^", (base, exponent)) if not is_product(base, exponent):
                self.helpers.add("power")
            case Call("exprelr" | "H" | "tan" | "sinh" | "cosh" as function, _):  # the last three: Arbor has them not
                self.helpers.add(self.dialect.functions[function])
        for part in parts(expr):
            self._note(part)


@dataclass
class Body:
    """The lines of a block in the making, with the locals they need."""

    writer: Writer
    known: set[str] = field(default_factory=set)
    local_names: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    own_inputs: bool = True
    voltage: str = "0.001 * v"

    def let(self, name: str, expr: Expr, *, local: bool = True) -> None:
        """`name = expr`, with everything that `expr` needs computed before; `name` is an NMODL name."""
        self.need([expr])
        temporaries, text = self.writer.assign(name, expr, prefix=name)
        self.local_names += [*temporaries, *([name] if local and name not in self.local_names else [])]
        self.lines += text

    def need(self, expressions: Iterable[Expr]) -> None:
        """Compute the assigned variables and inputs that the expressions use, once per block."""
        wanted = self.writer.definitions.needed(expressions, known=self.known)
        self.inputs([*(names_in(a.value) for a in wanted), *(names_in(e) for e in expressions)])
        for assigned in wanted:
            self.compute(assigned)

    def compute(self, assigned: Assigned, *, local: bool = True) -> None:
        """One assigned variable; what it needs is known already."""
        name = self.writer.names[assigned.name]
        temporaries, text = self.writer.assign(name, assigned.value, prefix=name)
        self.local_names += [*temporaries, *([name] if local else [])]
        self.lines += text
        self.known.add(assigned.name)

    def inputs(self, used: Sequence[frozenset[str]]) -> None:
        """Convert those of NEURON's variables that are used."""
        conversions = {
            "v": ("vs", self.voltage),
            "t": ("ts", self.writer.clock),
            "iCa": ("iCa", "-10.0 * ica * surfaceArea"),
            "iCa2": ("iCa2", "-10.0 * ica2 * surfaceArea"),
        }
        if not self.own_inputs:
            return
        present = frozenset[str]().union(*used)
        own = {*self.writer.mechanism.dynamics.inputs}
        for name, (variable, text) in conversions.items():
            if name in present and name in own and name not in self.known:
                self.known.add(name)
                self.local_names.append(variable)
                self.lines.append(f"{variable} = {text}")

    def block(self, head: str) -> Block:
        """The finished block."""
        return Block(head, tuple(dict.fromkeys(self.local_names)), tuple(self.lines))


def _is_local(name: str, given: frozenset[str]) -> bool:
    """Whether a block may use a name for a local that it needs for a variable of another name."""
    stem, _, end = name.rpartition("_")
    return (stem in given and (end in _ENDS or end.isdigit())) or name.removeprefix("old_") in given - {name}


def safe(name: str) -> str:
    """A name that is neither NMODL's, NEURON's nor C++'s."""
    clean = name if not name.startswith("_") else f"x{name}"
    return f"{clean}_" if clean in RESERVED or clean.isupper() else clean


def ions(mechanism: Mechanism, currents: Sequence[Current] = ()) -> tuple[Ion, ...]:
    """The USEION lines: concentrations it reads, the pool ions whose currents it has."""
    reads: dict[str, list[str]] = {}
    for name in mechanism.dynamics.inputs:
        if name in ION_VARIABLES:
            ion, variable = ION_VARIABLES[name]
            reads.setdefault(ion, []).append(variable)
    written = [mechanism.ion, *(c.ion for c in currents)]
    writes = {ion: (f"i{ion}",) for ion in written if ion}
    return tuple(Ion(ion, tuple(reads.get(ion, ())), writes.get(ion, ())) for ion in sorted({*reads, *writes}))


def interface(writer: Writer) -> Interface:
    """The binding side of a mechanism."""
    inputs = writer.mechanism.dynamics.inputs
    dynamics = writer.mechanism.dynamics
    states = [*(s.name for s in dynamics.states), *(name for k in dynamics.kinetics for name in k.states)]
    area = "surfaceArea" in inputs or "iCa" in inputs or "iCa2" in inputs or writer.mechanism.kind == "population"
    return Interface(
        {name: writer.names[name] for name in writer.shared},
        {name: writer.names[name] for name in writer.own},
        {name: writer.names[name] for name in states if writer.names[name].isidentifier()},
        "temperature" in inputs,
        area,
        any(writer.names[name] == "drive" for name in ("iSyn", "ISyn") if name in inputs),
    )
