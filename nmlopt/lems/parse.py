"""Reads the expressions of LEMS into trees.

Operators `+ - * / ^`, comparisons `.gt. .lt. .geq. .leq. .eq. .neq.`, logic `.and. .or. .not.`, calls, parentheses.
From weak to strong: and/or, not, comparison, sum, product, sign, power; equals are taken from the left. So, as runs of
jLEMS show, `-x^2` is -(x^2), `2^-1` is 0.5, `2^3^2` is 64, and `a .or. b .and. c` is (a or b) and c.
`(-3)` is one literal of value -3, so that a literal can be given either sign.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NoReturn, TypeAlias

from nmlopt.errors import Issue, LemsError
from nmlopt.lems.expression import Call, Expr, Num, Op, Sym

LiteralHook: TypeAlias = Callable[[int, float], Expr]
"""Makes the leaf of the k-th number literal (from 1, in the order of the text)."""

MAX_DEPTH: Final = 60
MAX_TOKENS: Final = 600
FUNCTIONS: Final = frozenset(
    ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "sqrt", "ceil", "log", "ln", "abs", "H", "random", "factorial")
)
_ALIASES: Final = {"ln": "log"}
_WORD_OPERATORS: Final = {
    ".gt.": ">",
    ".lt.": "<",
    ".geq.": ">=",
    ".leq.": "<=",
    ".eq.": "==",
    ".neq.": "!=",
    ".and.": "and",
    ".or.": "or",
    ".not.": "not",
}
_COMPARISONS: Final = frozenset({">", "<", ">=", "<=", "==", "!="})
_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d+(?:\.(?![A-Za-z]+\.)\d*)?|\.\d+)(?:[eE][-+]?\d+)?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<word>\.[A-Za-z]+\.)
    | (?P<sign>[-+*/^(),])
    )""",
    re.VERBOSE,
)
_Token: TypeAlias = tuple[str, str, int]


def parse(text: str, literal: LiteralHook | None = None) -> Expr:
    """The tree of an expression; its number literals are made by `literal` (default: `Num`).

    Raises LemsError: L001 syntax (with the position), L002 unknown function, L003 nested too deeply or too long.
    """
    return _Parser(text, literal or _number).parse()


def _number(_position: int, value: float) -> Expr:
    return Num(value)


class _Parser:
    """Recursive descent over the tokens of one expression."""

    __slots__ = ("_at", "_depth", "_literal", "_literals", "_text", "_tokens")

    def __init__(self, text: str, literal: LiteralHook) -> None:
        self._text = text
        self._literal = literal
        self._tokens = self._tokenise()
        self._at = 0
        self._literals = 0
        self._depth = 0

    def parse(self) -> Expr:
        tree = self._logic()
        kind, token, _ = self._tokens[self._at]
        if kind != "end":
            self._fail(f"'{token}' is not expected here")
        return tree

    def _tokenise(self) -> list[_Token]:
        tokens: list[_Token] = []
        at = 0
        end = len(self._text.rstrip())
        while at < end:
            match = _TOKEN.match(self._text, at)
            if match is None or match.lastgroup is None:
                at += len(self._text[at:]) - len(self._text[at:].lstrip())
                self._fail(f"'{self._text[at]}' is not part of an expression", at)
            kind, token, start = match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup)
            if kind == "word":
                if token.lower() not in _WORD_OPERATORS:
                    self._fail(f"unknown operator '{token}'", start)
                kind, token = "sign", _WORD_OPERATORS[token.lower()]
            tokens.append((kind, token, start))
            at = match.end()
        if len(tokens) > MAX_TOKENS:
            raise LemsError(Issue("L003", f"expression of more than {MAX_TOKENS} tokens: '{_short(self._text)}'"))
        tokens.append(("end", "the end", end))
        return _with_signed_literals(tokens)

    def _logic(self) -> Expr:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise LemsError(Issue("L003", f"expression nested more than {MAX_DEPTH} deep: '{_short(self._text)}'"))
        tree = self._negation()
        while operator := self._take("and", "or"):
            tree = Op(operator, (tree, self._negation()))
        self._depth -= 1
        return tree

    def _negation(self) -> Expr:
        negations = 0
        while self._take("not"):
            negations += 1
        tree = self._comparison()
        for _ in range(negations):
            tree = Op("not", (tree,))
        return tree

    def _comparison(self) -> Expr:
        tree = self._sum()
        operator = self._take(*_COMPARISONS)
        return Op(operator, (tree, self._sum())) if operator else tree

    def _sum(self) -> Expr:
        tree = self._product()
        while operator := self._take("+", "-"):
            tree = Op(operator, (tree, self._product()))
        return tree

    def _product(self) -> Expr:
        tree = self._signed()
        while operator := self._take("*", "/"):
            tree = Op(operator, (tree, self._signed()))
        return tree

    def _signed(self) -> Expr:
        return self._with_sign(self._power)

    def _power(self) -> Expr:
        tree = self._atom()
        while self._take("^"):
            tree = Op("^", (tree, self._with_sign(self._atom)))
        return tree

    def _with_sign(self, operand: Callable[[], Expr]) -> Expr:
        negative = False
        while sign := self._take("+", "-"):
            negative ^= sign == "-"
        tree = operand()
        return Op("neg", (tree,)) if negative else tree

    def _atom(self) -> Expr:
        kind, token, start = self._tokens[self._at]
        if kind == "number":
            self._at += 1
            self._literals += 1
            return self._literal(self._literals, float(token))
        if kind == "name":
            self._at += 1
            return self._call(token, start) if self._take("(") else Sym(token)
        if not self._take("("):
            self._fail(f"a value is missing before {token if kind == 'end' else repr(token)}", start)
        tree = self._logic()
        self._close()
        return tree

    def _call(self, name: str, start: int) -> Expr:
        if name not in FUNCTIONS:
            raise LemsError(
                Issue(
                    "L002",
                    f"unknown function '{name}' at character {start + 1} of '{_short(self._text)}'",
                    hint=f"LEMS knows {', '.join(sorted(FUNCTIONS))}",
                )
            )
        argument = self._logic()
        self._close()
        return Call(_ALIASES.get(name, name), (argument,))

    def _close(self) -> None:
        if not self._take(")"):
            self._fail("')' is missing")

    def _take(self, *wanted: str) -> str:
        """The next token if it is one of the `wanted` signs, and step over it; else ''."""
        kind, token, _ = self._tokens[self._at]
        if kind == "sign" and token in wanted:
            self._at += 1
            return token
        return ""

    def _fail(self, message: str, at: int | None = None) -> NoReturn:
        place = self._tokens[self._at][2] if at is None else at
        raise LemsError(Issue("L001", f"{message}, at character {place + 1} of '{_short(self._text)}'"))


def _with_signed_literals(tokens: list[_Token]) -> list[_Token]:
    """`(-3)` as one literal in parentheses: the sign belongs to the number where nothing else can claim it."""
    kept: list[_Token] = []
    for at, (kind, token, start) in enumerate(tokens):
        if (
            kind == "number"
            and at >= 2
            and [t for _, t, _ in (tokens[at - 2], tokens[at - 1], tokens[at + 1])] == ["(", "-", ")"]
        ):
            _, _, sign = kept.pop()
            kept.append((kind, f"-{token}", sign))
        else:
            kept.append((kind, token, start))
    return kept


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 120 else flat[:117] + "..."
