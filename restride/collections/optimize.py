"""The optimiser: passes that make expressions cheaper. None looks at data, or at single blocks.

What comes later is not here: chains of kernels become one in `restride.collections.fusion`, and tasks whose outputs
nobody needs are left out when a graph is submitted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from restride.collections.expression import Expr, rewrite

Pass = Callable[[Sequence[Expr]], list[Expr]]


def simplify(roots: Sequence[Expr]) -> list[Expr]:
    """Each node by its own rule: rechunks in a row become one, sources that cost nothing are made as they are used."""
    return rewrite(roots, lambda expr: expr.simplified())


def ship(roots: Sequence[Expr]) -> list[Expr]:
    """Data of the client's that kernels would all take along goes by block."""
    return rewrite(roots, lambda expr: expr.shipped())


_passes: list[Pass] = []


def add_passes(*passes: Pass) -> None:
    """Have these passes run, too: each kind of collection brings its own as it is imported."""
    _passes.extend(passes)


def optimized(roots: Sequence[Expr], *, ship_data: bool = False) -> list[Expr]:
    """The cheapest expressions known for the same blocks.

    Parameters
    ----------
    roots : sequence of Expr
    ship_data : bool
        Tasks will run in other processes.
    """
    exprs = list(roots)
    for run in (*_passes, ship) if ship_data else _passes:
        exprs = run(exprs)
    return exprs
