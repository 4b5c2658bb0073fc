"""C: the dialect of the expression printer, and statements out of the lines that the block writers make.

The functions with the prefix nm_ are defined in the kernel's own text, not taken from a library: the compiler cannot
round a literal's value differently from a parameter's, and loops over them can be vectorised.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nmlopt.codegen.nmodl import Body, Writer
from nmlopt.codegen.printer import Dialect
from nmlopt.ir.model import Mechanism

C = Dialect(
    operators={
        "+": "+", "-": "-", "*": "*", "/": "/", "neg": "-", "not": "!", "and": "&&", "or": "||",
        "<": "<", ">": ">", "<=": "<=", ">=": ">=", "==": "==", "!=": "!=",
    },
    functions={
        "sin": "sin", "cos": "cos", "tan": "tan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "exp": "nm_exp",
        "sqrt": "nm_sqrt", "ceil": "ceil", "log": "nm_log", "abs": "nm_abs", "H": "nm_heaviside",
        "exprelr": "nm_exprelr", "factorial": "nm_factorial",
    },
    power="nm_power",
)  # fmt: skip


_KERNEL_TEXT = """
    n m k l q c x dx R S W E at value area h j i v t V weight temperature surfaceArea iSyn ISyn
    a b e f g o s r p count row rows share table base bend target lead loss gain spacing low side place before past
    length once twice middle end moments moment written which here there slope job index main y0 y1 yn j0 j1 jn
    flow falls from to gate bits turn size
    gamma lgamma tgamma erf floor fmin fmax round trunc signal time clock abort exit free malloc
"""
"""Names of the text around the blocks."""
_KERNEL = frozenset(_KERNEL_TEXT.split())


def c_writer(mechanism: Mechanism) -> Writer:
    """A writer of C for a mechanism; its inputs keep their IR names, which the surrounding text declares."""
    writer = Writer(mechanism, partial=False, dialect=C)
    writer.rename(lambda name: name in _KERNEL or name.endswith("__"))
    writer.avoid_locals()
    own = writer.variables
    writer.names |= {name: name for name in mechanism.dynamics.inputs if name not in own}
    return writer


def c_body(writer: Writer) -> Body:
    """An empty block whose inputs are at hand."""
    return Body(writer, own_inputs=False)


def statements(lines: Iterable[str]) -> tuple[str, ...]:
    """Lines of assignments and braces as C."""
    return tuple(line if line.endswith("{") or line.strip() == "}" else f"{line};" for line in lines)


def declarations(names: Sequence[str]) -> tuple[str, ...]:
    """One line that declares doubles; none where there are no names."""
    distinct = tuple(dict.fromkeys(names))
    return (f"double {', '.join(distinct)};",) if distinct else ()


def c_block(body: Body) -> tuple[str, ...]:
    """A finished block: its locals, then its statements."""
    return (*declarations(body.local_names), *statements(body.lines))
