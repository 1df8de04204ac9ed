"""What a value of JSON has to look like, a shape, and what is wrong with one that does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from support.json_places import Place, written

# A shape is a type, `None` for null, a Rule, a frozenset of which it is one, a tuple of shapes of which one has to fit,
# [shape] for a list, [shape, ...] for one that is not empty, {name: shape} for an object with these fields and perhaps
# others, or {str: shape} for one all of whose fields have the shape. A float may be written as an integer.
Shape = Any


@dataclass(frozen=True)
class Rule:
    """A value of a kind for which something holds, in words such as "a number above 0"."""

    kind: type
    holds: Callable[[Any], bool]
    words: str


POSITIVE = Rule(float, lambda value: value > 0, "a number above 0")
NOT_NEGATIVE = Rule(float, lambda value: value >= 0, "a number of at least 0")
COUNT = Rule(int, lambda value: value >= 1, "an integer of at least 1")
INDEX = Rule(int, lambda value: value >= 0, "an integer of at least 0")
SHARE = Rule(float, lambda value: 0 <= value <= 1, "a number from 0 to 1")


class Misfit(ValueError):
    """What is wrong with a value, and where in it that is."""

    def __init__(self, what: str, place: Place = ()) -> None:
        super().__init__(f"{written(place)} {what}" if place else what)
        self.what, self.place = what, place


def fit(value: Any, shape: Shape, place: Place = ()) -> None:
    """Passes a value of a shape. Raises: Misfit."""
    if isinstance(shape, Mapping):
        if not isinstance(value, Mapping):
            raise Misfit(_need(value, "an object"), place)
        for name, inner in shape.items():
            if name is str:
                fit(dict(value), dict.fromkeys(value, inner), place)
            elif name not in value:
                raise Misfit(f"is missing, need {_words(inner)}", (*place, name))
            else:
                fit(value[name], inner, (*place, name))
    elif isinstance(shape, list):
        if not isinstance(value, list) or len(value) < len(shape) - 1:
            raise Misfit(_need(value, _words(shape)), place)
        for number, one in enumerate(value):
            fit(one, shape[0], (*place, number))
    elif isinstance(shape, tuple):
        _fit_one(value, shape, place)
    elif not _is_a(value, shape):
        raise Misfit(_need(value, _words(shape)), place)


def _fit_one(value: Any, shapes: tuple[Shape, ...], place: Place) -> None:
    for shape in shapes:
        # The one whose kind fits says best what is missing in it.
        kind = type(shape) if isinstance(shape, dict | list) else None
        if kind is not None and isinstance(value, kind):
            return fit(value, shape, place)
        if kind is None and _is_a(value, shape):
            return None
    raise Misfit(_need(value, _words(shapes)), place)


def _is_a(value: Any, kind: Any) -> bool:
    if kind is None or kind is type(None):
        return value is None
    if isinstance(kind, Rule):
        return _is_a(value, kind.kind) and kind.holds(value)
    if isinstance(kind, frozenset):
        return isinstance(value, str) and value in kind
    if isinstance(value, bool):
        return kind in (bool, object)
    return isinstance(value, (int, float) if kind is float else kind)


def _need(value: Any, words: str) -> str:
    if isinstance(value, dict | list):
        kind = "an object" if isinstance(value, dict) else "a list"
        return f"is {kind if value else 'an empty ' + kind.split()[1]}, need {words}"
    shown = json.dumps(value, ensure_ascii=False, default=str)
    return f"= {shown if len(shown) <= 60 else shown[:57] + '...'}, need {words}"


def _words(shape: Shape) -> str:
    if isinstance(shape, tuple):
        return " or ".join(dict.fromkeys(map(_words, shape)))
    if isinstance(shape, Rule):
        return shape.words
    if isinstance(shape, frozenset):
        return f"one of {', '.join(sorted(shape))}"
    if isinstance(shape, list) and len(shape) > 1:
        return "a list that is not empty"
    if isinstance(shape, Mapping) or shape is dict:
        return "an object"
    if isinstance(shape, list) or shape is list:
        return "a list"
    names: dict[Any, str] = {
        None: "null",
        type(None): "null",
        str: "a text",
        int: "an integer",
        float: "a number",
        bool: "true or false",
    }
    return names.get(shape, "a value")
