"""What a value of JSON has to look like, a shape, and what is wrong with one that does not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from support.json_places import Place, written

# A shape is a type, `None` for null, a tuple of shapes of which one has to fit, [shape] for a list, or
# {name: shape} for an object with these fields and perhaps others. A float may be written as an integer.
Shape = Any


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
            if name not in value:
                raise Misfit(f"is missing, need {_words(inner)}", (*place, name))
            fit(value[name], inner, (*place, name))
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise Misfit(_need(value, "a list"), place)
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
    if isinstance(value, bool):
        return kind in (bool, object)
    return isinstance(value, (int, float) if kind is float else kind)


def _need(value: Any, words: str) -> str:
    shown = json.dumps(value, ensure_ascii=False, default=str) if not isinstance(value, dict | list) else ""
    if len(shown) > 60:
        shown = f"{shown[:57]}..."
    return f"= {shown}, need {words}" if shown else f"is {_words(type(value))}, need {words}"


def _words(shape: Shape) -> str:
    if isinstance(shape, tuple):
        return " or ".join(dict.fromkeys(map(_words, shape)))
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
