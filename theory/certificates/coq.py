"""`python -m theory coq`: every certified implication as a lemma of Coq, stated as the fact states it; the stored
certificates say which products to form, and Coq's own `lra` does the rest.

Coq's x / 0 is some number. So a lemma has "denominator <> 0" as a hypothesis for each denominator in what is given,
and proves it for those in what follows before it proves the statement.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from theory.certificates.checker import OPERATORS, name_of, polynomial, quotient, read, system, variables

HEADER = """(* Every implication between polynomials or quotients of polynomials that the ledger rests on: hypotheses,
   conclusion, and a proof from a stored certificate. Written by `python -m theory coq`; to check it run `make coq`, or
   `coqc certificates.v` with Coq 8.16 or newer. The last line prints the axioms: those of Coq's real numbers, and what
   their construction uses. *)

From Coq Require Import Reals Lra Psatz.
Open Scope R_scope.

Lemma square_pos : forall d : R, d <> 0 -> 0 < d * d.
Proof. intros d H. destruct (Rdichotomy d 0 H); nra. Qed.

(* A relation between quotients l and r, times the square d > 0 of their denominator: (l - r) d = p. *)
Lemma cleared_lt : forall l r d p : R, (l - r) * d = p -> 0 < d -> r < l -> 0 < p.
Proof. intros l r d p E D H. rewrite <- E. apply Rmult_lt_0_compat; lra. Qed.
Lemma cleared_gt : forall l r d p : R, (l - r) * d = p -> 0 < d -> l < r -> 0 < - p.
Proof.
  intros l r d p E D H. replace (- p) with ((r - l) * d) by (rewrite <- E; ring).
  apply Rmult_lt_0_compat; lra. Qed.
Lemma cleared_le : forall l r d p : R, (l - r) * d = p -> 0 < d -> r <= l -> 0 <= p.
Proof. intros l r d p E D H. rewrite <- E. apply Rmult_le_pos; lra. Qed.
Lemma cleared_ge : forall l r d p : R, (l - r) * d = p -> 0 < d -> l <= r -> 0 <= - p.
Proof.
  intros l r d p E D H. replace (- p) with ((r - l) * d) by (rewrite <- E; ring).
  apply Rmult_le_pos; lra. Qed.
Lemma cleared_eq : forall l r d p : R, (l - r) * d = p -> l = r -> p = 0.
Proof. intros l r d p E H. rewrite <- E, H. ring. Qed.
Ltac clear_quotients := repeat match goal with
  | E : (?l - ?r) * ?d = ?p, D : 0 < ?d, H : ?r < ?l |- _ => pose proof (cleared_lt l r d p E D H); clear H
  | E : (?l - ?r) * ?d = ?p, D : 0 < ?d, H : ?l > ?r |- _ => pose proof (cleared_lt l r d p E D H); clear H
  | E : (?l - ?r) * ?d = ?p, D : 0 < ?d, H : ?l < ?r |- _ => pose proof (cleared_gt l r d p E D H); clear H
  | E : (?l - ?r) * ?d = ?p, D : 0 < ?d, H : ?r > ?l |- _ => pose proof (cleared_gt l r d p E D H); clear H
  | E : (?l - ?r) * ?d = ?p, D : 0 < ?d, H : ?r <= ?l |- _ => pose proof (cleared_le l r d p E D H); clear H
  | E : (?l - ?r) * ?d = ?p, D : 0 < ?d, H : ?l >= ?r |- _ =>
      pose proof (cleared_le l r d p E D (Rge_le _ _ H)); clear H
  | E : (?l - ?r) * ?d = ?p, D : 0 < ?d, H : ?l <= ?r |- _ => pose proof (cleared_ge l r d p E D H); clear H
  | E : (?l - ?r) * ?d = ?p, D : 0 < ?d, H : ?r >= ?l |- _ =>
      pose proof (cleared_ge l r d p E D (Rge_le _ _ H)); clear H
  | E : (?l - ?r) * ?d = ?p, H : ?l = ?r |- _ => pose proof (cleared_eq l r d p E H); clear H
  end.

(* a > 0 or a >= 0 by its name, by linear arithmetic, or as a product of such. *)
Ltac sign := repeat first [ assumption | apply Rle_0_sqr | lra | apply Rmult_lt_0_compat | apply Rmult_le_pos ].
Ltac above := repeat first [ assumption | lra | apply Rdiv_lt_0_compat | apply Rinv_0_lt_compat
  | apply Rmult_lt_0_compat | apply Rplus_lt_0_compat ].
Ltac nonzero := repeat split; first [ assumption | lra | apply pow_nonzero; nonzero
  | apply Rmult_integral_contrapositive_currified; nonzero | nra | apply Rgt_not_eq, Rlt_gt; solve [ above ] ].
"""
RELATIONS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "==": "=", "!=": "<>"}
RESERVED = {
    "at",
    "as",
    "in",
    "if",
    "then",
    "else",
    "fun",
    "forall",
    "exists",
    "end",
    "let",
    "match",
    "return",
    "where",
}


def lemmas(claims: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The file's parts: the header, a lemma for each distinct certified implication, and the question for axioms."""
    yield HEADER
    seen: dict[str, str] = {}
    for claim, entry in claims.items():
        for number, fact in enumerate(entry["facts"]):
            question = str([fact.get(part) for part in ("variables", "given", "then")])
            if fact["kind"] == "follows" and fact["holds"] and "proofs" in fact and question not in seen:
                seen[question] = f"{re.sub(r'[^A-Za-z0-9]', '_', claim)}_{number}"
                yield Lemma(seen[question], claim, fact).text()
    everything = "conj I I"
    for name in seen.values():
        everything = f"conj {name} ({everything})"
    yield f"Definition every_lemma := {everything}.\nPrint Assumptions every_lemma.\n"


class Lemma:
    """One fact as a lemma."""

    def __init__(self, name: str, claim: str, fact: Mapping[str, Any]) -> None:
        self.name, self.claim, self.fact = name, claim, fact
        self.names = coq_names(fact["variables"])
        self.values = variables(list(fact["variables"]))

    def text(self) -> str:
        """Statement and proof."""
        given = [read(text) for text in self.fact["given"]]
        then = read(self.fact["then"])
        hypotheses = [
            f"{self.names[name]} {'>' if sign == 'positive' else '>='} 0"
            for name, sign in self.fact["variables"].items()
            if sign != "real"
        ]
        dens = dict.fromkeys(d for node in given for d in self.denominators(node))
        hypotheses += [f"{d} <> 0" for d in dens]
        hypotheses += [self.statement(node) for node in given]
        binder = f"forall {' '.join(self.names.values())} : R, " if self.names else ""
        goal = "".join(f"\n  {hypothesis} ->" for hypothesis in hypotheses) + f"\n  {self.statement(then)}."
        spoken = ", ".join(f"{new} = {old}" for old, new in self.names.items() if old != new)
        legend = f"{self.claim}: {self.fact['says']}" + (f" ({spoken})" if spoken else "")
        comment = legend.replace("(*", "( *").replace("*)", "* )").replace('"', "'")
        return f"(* {comment} *)\nLemma {self.name} : {binder}{goal}\n{self.proof(given, then)}"

    def proof(self, given: list[ast.expr], then: ast.expr) -> str:
        """Disjunctions opened, quotients made polynomials, each relation of the conclusion decided, and a
        contradiction from one of the cases wherever the conclusion is not there."""
        cases = list(zip(system(dict(self.fact), True, self.values), self.fact["proofs"], strict=True))
        closers = " | ".join(f"solve [ {self.closed(case, proof)} ]" for case, proof in cases)
        lines = ["Proof.", "intros.", "repeat match goal with H : _ /\\ _ |- _ => destruct H end."]
        lines.append("repeat match goal with H : _ \\/ _ |- _ => destruct H end;")
        lines.append("repeat match goal with H : _ /\\ _ |- _ => destruct H end;")
        steps = [
            f"try destruct (Rdichotomy ({self.expression(node.left)}) ({self.expression(node.comparators[0])}) "
            "ltac:(assumption))"
            for node in relations(given)
            if isinstance(node.ops[0], ast.NotEq)
        ]
        for d in dict.fromkeys(self.denominators(then)):
            steps.append(f"assert ({d} <> 0) by (first [ nonzero | intro; first [ {closers} ] ])")
        for node in relations([*given, then]):
            steps += self.cleared(node)
        steps += [f"destruct {self.decision(node)}" for node in relations([then])]
        lines += [f"{step};" for step in steps]
        lines.append(f"first [ solve [ intuition lra ] | exfalso; clear_quotients; first [ {closers} ] ].")
        lines.append("Qed.\n")
        return "\n".join(lines)

    def cleared(self, node: ast.Compare) -> list[str]:
        """For a relation with quotients: (left - right) d^2 as the polynomial that the certificate speaks of."""
        difference = ast.BinOp(node.left, ast.Sub(), node.comparators[0])
        n, d = quotient(difference, self.values)
        if not list(self.denominators(node)):
            return []
        whole, below = self.polynomial(n * d), self.polynomial(d)
        left = f"{self.expression(node.left)} - {self.expression(node.comparators[0])}"
        return [
            f"assert ({below} <> 0) by nonzero",
            f"assert (({left}) * (({below}) * ({below})) = {whole}) by (field; nonzero)",
            f"assert (0 < ({below}) * ({below})) by (apply square_pos; assumption)",
        ]

    def decision(self, node: ast.Compare) -> str:
        left, right = self.expression(node.left), self.expression(node.comparators[0])
        sign = OPERATORS[type(node.ops[0]).__name__]
        if sign in ("==", "!="):
            return f"(total_order_T ({left}) ({right})) as [[|]|]"
        return f"(Rle_or_lt ({left}) ({right}))" if sign in ("<=", ">") else f"(Rle_or_lt ({right}) ({left}))"

    def closed(self, case: list, proof: dict) -> str:
        """A contradiction from the conditions of a case, by its proof."""
        if "split" in proof:
            q = polynomial(proof["split"], self.values)
            spoken = self.polynomial(q)
            below = self.closed([*case, (-q, ">")], proof["below"])
            rest = self.closed([*case, (q, ">=")], proof["rest"])
            return f"destruct (Rle_or_lt 0 ({spoken})); [ {rest} | {below} ]"
        used = {i for _, chosen, *_ in proof["sum"] for i in chosen} | {
            i for _, i in proof.get("equations", [])
        }
        steps = [f"assert ({self.condition(*case[i])}) as g{i} by first [ lra | sign ]" for i in sorted(used)]
        for number, (weight, chosen, *square) in enumerate(proof["sum"]):
            strict = not square and all(case[i][1] == ">" for i in chosen)
            factors = [f"({self.polynomial(case[i][0])})" for i in chosen]
            factors += [f"Rsqr ({self.polynomial(polynomial(text, self.values))})" for text in square]
            if len(factors) > 1 or square:
                spoken = " * ".join([f"({weight})", *factors])
                steps.append(f"assert (0 {'<' if strict else '<='} {spoken}) as t{number} by sign")
                if square:
                    steps.append(f"unfold Rsqr in t{number}")
        for multiple, i in proof.get("equations", []):
            m, h = self.polynomial(polynomial(multiple, self.values)), self.polynomial(case[i][0])
            steps.append(f"assert (({m}) * ({h}) = 0) by (rewrite g{i}; apply Rmult_0_r)")
        return "; ".join([*steps, "lra"])

    def condition(self, p: Any, sign: str) -> str:
        return (
            f"{self.polynomial(p)} = 0"
            if sign == "="
            else f"0 {'<' if sign == '>' else '<='} {self.polynomial(p)}"
        )

    def polynomial(self, p: Any) -> str:
        """A polynomial as Coq writes it."""
        if not hasattr(p, "to_dict"):
            return _number(p)
        terms = []
        for powers, coefficient in p.to_dict().items():
            factors = [
                name if power == 1 else f"{name} ^ {power}"
                for name, power in zip(self.names.values(), powers, strict=True)
                if power
            ]
            terms.append(
                " * ".join([_number(coefficient), *factors] if coefficient != 1 or not factors else factors)
            )
        return " + ".join(terms) or "0"

    def statement(self, node: ast.expr) -> str:
        """A statement as Coq writes it."""
        match node:
            case ast.Constant(value=bool(truth)):
                return "True" if truth else "False"
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return f"~ ({self.statement(inner)})"
            case ast.BoolOp(op=operator, values=parts):
                word = " /\\ " if isinstance(operator, ast.And) else " \\/ "
                return word.join(f"({self.statement(part)})" for part in parts)
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                sign = RELATIONS[OPERATORS[type(operator).__name__]]
                return f"{self.expression(left)} {sign} {self.expression(right)}"
        raise ValueError(ast.unparse(node))

    def expression(self, node: ast.expr) -> str:
        """An expression as Coq writes it."""
        match node:
            case ast.Constant(value=number):
                return str(number)
            case ast.Name(id=name):
                return self.names[name_of(name)]
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return f"(- ({self.expression(inner)}))"
            case ast.BinOp(left=base, op=ast.Pow(), right=exponent):
                power = ast.literal_eval(exponent)
                whole = f"({self.expression(base)}) ^ {abs(power)}"
                return f"({whole})" if power >= 0 else f"(/ ({whole}))"
            case ast.BinOp(left=left, op=operator, right=right):
                sign = {"Add": "+", "Sub": "-", "Mult": "*", "Div": "/"}[type(operator).__name__]
                return f"({self.expression(left)} {sign} {self.expression(right)})"
        raise ValueError(ast.unparse(node))

    def denominators(self, node: ast.expr) -> Iterator[str]:
        """The denominators in it that are no numbers."""
        for part in ast.walk(node):
            match part:
                case ast.BinOp(op=ast.Div(), right=below) if any(
                    isinstance(p, ast.Name) for p in ast.walk(below)
                ):
                    yield self.expression(below)
                case ast.BinOp(left=below, op=ast.Pow(), right=exponent) if ast.literal_eval(exponent) < 0:
                    yield self.expression(below)


def relations(nodes: Iterable[ast.expr]) -> list[ast.Compare]:
    """The relations in statements, each once."""
    found = [part for node in nodes for part in ast.walk(node) if isinstance(part, ast.Compare)]
    return list({ast.unparse(part): part for part in found}.values())


def coq_names(names: Iterable[str]) -> dict[str, str]:
    """An identifier of Coq for each name, different ones for different names."""
    found: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"\W+", "_", name).strip("_") or "v"
        plain = f"v_{plain}" if not plain[0].isalpha() or plain in RESERVED or not plain.isascii() else plain
        plain = re.sub(r"[^A-Za-z0-9_]", "_", plain)
        while plain in found.values() or plain in ("R", "I"):
            plain += "_"
        found[name] = plain
    return found


def _number(c: Any) -> str:
    text = str(c)
    return f"({text})" if "/" in text or text.startswith("-") else text
