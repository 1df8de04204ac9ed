"""Nonlinear real arithmetic (z3): whether polynomial hypotheses imply a polynomial conclusion for all real
values.

This is where an inequality between vectors ends once it has been reduced to its inner products: z3 decides
the scalar statement exactly, by finding no real point that meets the hypotheses and violates the conclusion.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import sympy as sp
import z3
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, BooleanFalse, BooleanTrue, Not, Or

from theory.deciders.facts import ALL, Dimension, Fact, Grade, Witness, asked

RESOURCES = 20_000_000  # z3's own count of steps, not seconds: the same answer on every machine
PATIENCE = 30_000  # milliseconds; a guard against a search that does not count its steps


@asked
def implies(
    says: str,
    hypotheses: Iterable[sp.Basic],
    conclusion: sp.Basic,
    *,
    dimension: Dimension = ALL,
    shows: tuple[str, ...] = (),
    method: str = "z3 on nonlinear real arithmetic",
) -> Fact:
    """Whether the hypotheses imply the conclusion at every real point.

    Hypotheses and conclusion are sympy relations (or And, Or, Not of them) between polynomials or quotients
    of polynomials with rational coefficients; roots must be given as symbols with their squares as
    hypotheses. Sign assumptions of the symbols (positive, nonnegative) count as hypotheses. Established when
    z3 finds the negation unsatisfiable, refuted with the point z3 finds, undecided when it gives up. The
    hypotheses themselves are checked to be satisfiable, so that nothing is proved from a contradiction
    (raises ValueError); a conclusion that is trivially true, or one of the hypotheses, is left undecided.
    """
    premises = [premise for premise in map(sp.sympify, hypotheses) if premise != sp.true]
    conclusion = sp.sympify(conclusion)
    if conclusion == sp.true or conclusion in premises:
        # True before any argument: such a "consequence" would hide one that asks nothing.
        why = (
            "the conclusion is trivially true" if conclusion == sp.true else "the conclusion is a hypothesis"
        )
        return Fact(says, None, Grade.NONE, method, dimension, (*shows, f"then  nothing: {why}"))
    symbols = sorted(set().union(*(part.free_symbols for part in [*premises, conclusion])), key=str)
    # A context of its own: z3's search must not depend on what was asked before.
    context = z3.Context()
    names = Names(context, symbols)
    given = [names[symbol] > 0 for symbol in symbols if symbol.is_positive]
    given += [names[symbol] >= 0 for symbol in symbols if symbol.is_nonnegative and not symbol.is_positive]
    given += [_translate(premise, names) for premise in premises]
    if _solve(given, context)[0] == z3.unsat:
        raise ValueError(
            f"hypotheses of {says!r} contradict each other; a statement that follows from them says nothing"
        )
    spoken = [f"given {_written(premise)}" for premise in premises]
    lines = (*shows, *spoken, f"then  {_written(conclusion)}")
    answer, model = _solve([*given, z3.Not(_translate(conclusion, names))], context)
    if answer == z3.unsat:
        return Fact(says, True, Grade.PROVED, method, dimension, lines)
    if model is None:
        return Fact(says, None, Grade.NONE, method, dimension, lines)
    return Fact(says, False, Grade.PROVED, method, dimension, lines, _witness(model, names, conclusion))


class Names(dict[sp.Symbol, z3.ArithRef]):
    """z3's variable for each symbol, and the context they live in."""

    def __init__(self, context: z3.Context, symbols: Iterable[sp.Symbol]) -> None:
        super().__init__({symbol: z3.Real(str(symbol), context) for symbol in symbols})
        self.context = context


def _solve(assertions: list[z3.BoolRef], context: z3.Context) -> tuple[z3.CheckSatResult, z3.ModelRef | None]:
    """z3's answer by its two engines for real arithmetic in turn; each a fresh solver, for a used one
    searches differently."""
    for solver in (z3.Tactic("qfnra-nlsat", context).solver(), z3.Solver(ctx=context)):
        solver.set("rlimit", RESOURCES)
        solver.set("timeout", PATIENCE)
        solver.add(*assertions)
        answer = solver.check()
        if answer == z3.unknown and solver.reason_unknown() == "interrupted from keyboard":
            raise KeyboardInterrupt  # z3 takes Ctrl-C for itself
        if answer != z3.unknown:
            return answer, solver.model() if answer == z3.sat else None
    return z3.unknown, None


def _written(statement: sp.Basic) -> str:
    """A statement as a reader writes it: = and != between sides, `and`, `or`, `not` between statements, ^ for
    powers."""
    if isinstance(statement, (And, Or)):
        word = " and " if isinstance(statement, And) else " or "
        return word.join(f"({_written(part)})" for part in statement.args)
    if isinstance(statement, Not):
        return f"not ({_written(statement.args[0])})"
    if isinstance(statement, Relational):
        sign = {"==": "=", "!=": "!="}.get(statement.rel_op, statement.rel_op)
        return f"{_written(statement.lhs)} {sign} {_written(statement.rhs)}"
    # A star that nothing is multiplied by, as in l(x*+p), belongs to a name.
    return re.sub(r"\*(?![+)])", " ", str(statement).replace("**", "^"))


def _witness(model: z3.ModelRef, names: Names, conclusion: sp.Basic) -> Witness:
    values = {symbol: _value(model.eval(name, model_completion=True)) for symbol, name in names.items()}
    point: dict[str, object] = {str(symbol): value for symbol, value in values.items()}
    if isinstance(conclusion, Relational):
        left, right = (sp.simplify(side.subs(values)) for side in (conclusion.lhs, conclusion.rhs))
        return Witness(point, left, conclusion.rel_op, right)
    if conclusion == sp.false:
        return Witness(point, sp.Symbol("the hypotheses"), "exclude", sp.Symbol("this point"))
    return Witness(point, sp.Symbol(_written(conclusion)), "is", sp.Symbol("true"))


def _value(number: z3.ArithRef) -> sp.Expr:
    if z3.is_rational_value(number):
        return sp.Rational(number.numerator_as_long(), number.denominator_as_long())
    # An irrational algebraic number: shown to 20 digits; z3 itself holds it exactly.
    approximation = number.approx(20)
    return sp.Rational(approximation.numerator_as_long(), approximation.denominator_as_long()).evalf(20)


def _translate(expression: sp.Basic, names: Names) -> z3.ExprRef:
    if isinstance(expression, (BooleanTrue, BooleanFalse)):
        return z3.BoolVal(bool(expression), names.context)
    if isinstance(expression, (And, Or)):
        join = z3.And if isinstance(expression, And) else z3.Or
        return join(*(_translate(part, names) for part in expression.args))
    if isinstance(expression, Not):
        return z3.Not(_translate(expression.args[0], names))
    if isinstance(expression, Relational):
        return _relation(expression, names)
    raise ValueError(
        f"expression = {expression} must be a relation, or And, Or, Not of relations; write it as one"
    )


def _relation(relation: Relational, names: Names) -> z3.ExprRef:
    """left - right as numerator/denominator: numerator * denominator has its sign, and is a polynomial."""
    numerator, denominator = sp.fraction(sp.together(relation.lhs - relation.rhs))
    positive = sp.sympify(denominator).is_positive
    product = numerator if positive or relation.rel_op in ("==", "!=") else numerator * denominator
    left = _polynomial(product, names)
    comparison = {
        "==": left == 0,
        "!=": left != 0,
        "<=": left <= 0,
        "<": left < 0,
        ">=": left >= 0,
        ">": left > 0,
    }[relation.rel_op]
    return comparison if positive else z3.And(comparison, _polynomial(denominator, names) != 0)


def _polynomial(expression: sp.Expr, names: Names) -> z3.ArithRef:
    """The expanded polynomial, terms in lexicographic order, so that z3 is asked the same question in every
    process."""
    context = names.context
    try:
        # A symbol of its own keeps Poly's list of generators from being empty.
        terms = sp.Poly(expression, *names, sp.Dummy(), domain=sp.QQ).terms()
    except sp.PolynomialError as error:
        raise ValueError(
            f"expression = {expression} must be a quotient of polynomials with rational coefficients; "
            "name each root by a symbol and give its square as a hypothesis"
        ) from error
    total = z3.RealVal(0, context)
    for powers, coefficient in terms:
        term = z3.RealVal(f"{coefficient.p}/{coefficient.q}", context)
        for name, power in zip(names.values(), powers[:-1], strict=True):
            for _ in range(power):
                term = term * name
        total = total + term
    return total
