"""The optimiser: passes that make expressions cheaper. None looks at data, or at single blocks.

What comes later is not here: chains of kernels become one in `restride.collections.fusion`, and tasks whose outputs
nobody needs are left out when a graph is submitted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from restride.collections.expression import Expr, rewrite, subexpressions

Pass = Callable[[Sequence[Expr]], list[Expr]]


def simplify(roots: Sequence[Expr]) -> list[Expr]:
    """Each node by its own rule: rechunks in a row become one, sources that cost nothing are made as they are used."""
    return rewrite(roots, lambda expr: expr.simplified())


def ship(roots: Sequence[Expr]) -> list[Expr]:
    """Data of the client's that kernels would all take along goes by block."""
    return rewrite(roots, lambda expr: expr.shipped())


_passes: dict[tuple[type[Expr], ...], tuple[Pass, ...]] = {}


def add_passes(kinds: tuple[type[Expr], ...], *passes: Pass) -> None:
    """Have these passes run where there are nodes of some kinds: each kind of collection brings its own."""
    _passes[kinds] = passes


def optimized(roots: Sequence[Expr], *, ship_data: bool = False) -> list[Expr]:
    """The cheapest expressions known for the same blocks.

    Parameters
    ----------
    roots : sequence of Expr
    ship_data : bool
        Tasks will run in other processes.
    """
    exprs = list(roots)
    nodes = subexpressions(exprs)
    for kinds, passes in _passes.items():
        if any(isinstance(node, kinds) for node in nodes):
            for run in passes:
                exprs = run(exprs)
    return ship(exprs) if ship_data else exprs
