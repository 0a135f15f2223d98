"""Facts: what a node wants to know of the data before it lowers, such as how many different keys a column has.

A node names in `Expr.questions` small expressions; they are computed first, once, and `Expr.answered` gives the node
that knows their values. Columns and filters have been pushed by then, so that no more is read than the question takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from restride.collections.expression import Expr, subexpressions
from restride.errors import InternalError

Ask = Callable[[Sequence[Expr]], list[list[Any]]]
"""Computes expressions; gives the blocks of each."""


@dataclass(frozen=True, eq=False, repr=False)
class Told(Expr):
    """A question that has been asked before, with its answer: nothing is computed for it."""

    value: Any


def no_answers(questions: Sequence[Expr]) -> list[list[Any]]:
    """Where nothing can be computed: raises."""
    raise InternalError(f"{questions} cannot be answered here")


def settled(roots: Sequence[Expr], ask: Ask) -> list[Expr]:
    """The same expressions with all questions answered; answers may raise new ones."""
    exprs = list(roots)
    while True:
        asking = {expr: expr.questions() for expr in subexpressions(exprs)}
        asking = {expr: questions for expr, questions in asking.items() if questions}
        if not asking:
            return exprs
        open_ones = [one for questions in asking.values() for one in questions if not isinstance(one, Told)]
        values = iter(ask(open_ones) if open_ones else ())
        answers = {
            expr: [[one.value] if isinstance(one, Told) else next(values) for one in questions]
            for expr, questions in asking.items()
        }
        new: dict[Expr, Expr] = {}
        for expr in subexpressions(exprs):
            node = expr.with_children([new[child] for child in expr.children])
            new[expr] = node.answered(answers[expr]) if expr in answers else node
        exprs = [new[expr] for expr in exprs]
