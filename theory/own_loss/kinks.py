"""Where a loss is not smooth, for `python -m theory check`: kinks (max, abs, relu, Piecewise), the edges of the domains
of log, roots and quotients; how far the attack is from them, and what is so at a kink that the search ended on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import flint
import mpmath
from mpmath import mpf

from theory.own_loss.derivatives import gradient
from theory.own_loss.evaluate import Balls, Unresolved, as_ball, double_function, middle
from theory.own_loss.graph import Graph
from theory.own_loss.local import Local
from theory.own_loss.objective import DOUBLE_DIGITS, WORKING_DIGITS, Objective, exact
from theory.own_loss.problem import LossProblem
from theory.own_loss.wording import written

HALVINGS = 60  # of a radius, at most
FARTHEST = 1024  # radii of the ball around the attack in which kinks are looked for
BITS = 4 * WORKING_DIGITS
DECIDED = mpf(10) ** -30  # relative: the attack's own digits do not decide what is closer to 0
NEAR = 1e-4  # of the ball's radius: a search that ended so close to a kink may have ended on it
APART = 1e-7  # of the ball's radius: where the two sides of a kink are looked at


@dataclass(frozen=True)
class Guard:
    """The loss is analytic where `guards` is not 0, and positive if it has to be; `node` is what it guards."""

    node: int
    guards: int
    positive: bool


def guards_of(graph: Graph, root: int) -> list[Guard]:
    """All of an expression that depend on a symbol; every other operation is analytic everywhere."""
    found = []
    for node in graph.needed([root]):
        operation, *rest = graph.nodes[node]
        if operation in ("log", "sqrt", "root"):
            found.append(Guard(node, rest[0], True))
        elif operation == "log1p":
            found.append(Guard(node, graph.add(graph.one, rest[0]), True))
        elif operation == "div":
            found.append(Guard(node, rest[1], False))
        elif operation == "tan":
            found.append(Guard(node, graph.apply("cos", rest[0]), False))
        elif operation == "pick":
            found.append(Guard(node, graph.sub(rest[0], rest[1]), False))
    return [one for one in found if graph.symbols(one.guards)]


def kink_at(local: Local, u: Sequence[mpf]) -> str | None:
    """What may spoil smoothness at the attack, or None: the loss is then analytic near it, in x and theta."""
    graph, found = local.graph, guards_of(local.graph, local.root)
    balls = Balls(graph, [guard.guards for guard in found], local.names)
    with flint.ctx.workprec(BITS):
        for guard, ball in zip(found, balls.enclosed(local.place(u)), strict=True):
            doubtful = ball + flint.arb(0, as_ball(DECIDED)) * (1 + abs(ball))
            if not doubtful > 0 and (guard.positive or not doubtful < 0):
                value = mpmath.nstr(middle(ball), 6) if ball.is_finite() else "not finite"
                return f"{written(graph, guard.node)} ({_role(graph, guard)} {value})"
    return None


def smooth_within(local: Local, u: Sequence[mpf]) -> mpf | None:
    """A radius around x' in which the loss is proved analytic in x, by ball arithmetic: no kink is closer, in the
    largest coordinate. None where that holds as far as FARTHEST epsilon, 0 where nothing is proved."""
    found = guards_of(local.graph, local.root)
    balls = Balls(local.graph, [guard.guards for guard in found], local.names)

    def proved(radius: mpf) -> bool:
        with flint.ctx.workprec(BITS):
            values = balls.enclosed(local.place(u, as_ball(radius)))
            return all(
                v > 0 or (v < 0 and not guard.positive) for v, guard in zip(values, found, strict=True)
            )

    low, high = mpf(0), exact(local.problem.epsilon) * FARTHEST
    if proved(high):
        return None
    for _ in range(HALVINGS):
        middle_radius = high / 16 if low == 0 else (low + high) / 2
        low, high = (middle_radius, high) if proved(middle_radius) else (low, middle_radius)
        if high < low * mpf("1.001"):
            break
    return low


def explained(objective: Objective, u: Sequence[float]) -> str | None:
    """A sentence on the kink that lies at u, a point where a search ended, with the slopes in x on its two sides; None
    where none is near."""
    nearest = min(_near(objective.problem, u), key=lambda one: one.distance, default=None)
    if nearest is None:
        return None
    sides = [
        [a + (shift - nearest.distance) * n for a, n in zip(u, nearest.normal, strict=True)]
        for shift in (APART, -APART)
    ]
    slopes = [", ".join(f"{entry:.6g}" for entry in _in_x(objective, side)) for side in sides]
    node = nearest.guard.node
    bent = objective.graph.nodes[node][0] in ("pick", "sqrt", "root")
    where = "on a kink," if bent else "at the edge of where the loss is defined,"
    return (
        f"it lies {where} {written(objective.graph, node)}: grad_x l is ({slopes[0]}) on one side and "
        f"({slopes[1]}) on the other, so that Lemmas 4 and 5 say nothing of it"
    )


@dataclass(frozen=True)
class _Near:
    """A kink close to a point u, its distance in u, and the unit vector that leads away from it."""

    guard: Guard
    distance: float
    normal: list[float]


def _near(problem: LossProblem, u: Sequence[float]) -> Iterator[_Near]:
    graph, names, radius = problem.graph, [*problem.x, *problem.theta], float(problem.epsilon)
    symbols = [graph.symbol(name) for name in problem.x]
    attack = [float(c) + radius * a for c, a in zip(problem.center, u, strict=True)]
    for guard in guards_of(graph, problem.root):
        roots = [guard.guards, *gradient(graph, guard.guards, symbols)]
        try:
            value, *slope = double_function(graph, roots, names)(*attack, *map(float, problem.at))
        except (ArithmeticError, ValueError):
            continue
        length = math.hypot(*slope) * radius
        if 0 < length < math.inf and abs(value) < NEAR * length:
            away = math.copysign(radius, value) / length
            yield _Near(guard, abs(value) / length, [entry * away for entry in slope])
        elif length == 0 and abs(value) < NEAR**2:
            # The top of a square, as in sqrt(x^2): any direction leads away.
            yield _Near(guard, 0.0, [1.0] + [0.0] * (len(u) - 1))


def _in_x(objective: Objective, u: Sequence[float]) -> list[float]:
    epsilon = exact(objective.problem.epsilon)
    try:
        return [float(entry / epsilon) for entry in objective.precise_derivatives(u, DOUBLE_DIGITS)[0]]
    except Unresolved:
        return [math.nan] * len(u)


def _role(graph: Graph, guard: Guard) -> str:
    return "its sides differ by" if graph.nodes[guard.node][0] == "pick" else "its argument is"
