"""What the paper is: how it is cited, which equations and sections it has, in which order its statements stand."""

from theory.ledger.paper import Paper

PAPER = Paper(
    title="A paper of three statements",
    authors="A. Nonymous",
    source="an example",
    # Only these numbers may be cited by a claim; range(1, 41) for a paper with equations (1) to (40).
    equations=range(1, 4),
    sections=("1", "2"),
    # The statement files in the paper's order. Left out, they come in alphabetical order.
    order=("sum_and_length", "square", "angle"),
)
