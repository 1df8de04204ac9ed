"""Work that fails in a worker process and is done again, or given up while the rest goes on (support/workers.py)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import busy

from support.workers import WorkerLost, in_workers


def outcome(function: Callable[..., object], items: list[int], again: dict[int, int]) -> tuple[dict, list]:
    """What is finished, and (item, error) of what failed. again : what is done in place of an item that fails."""
    found: dict[int, object] = {}
    errors: list[tuple[int, Exception]] = []

    def failed(item: int, error: Exception) -> int | None:
        errors.append((item, error))
        return again.get(item)

    in_workers(function, items, 1, found.__setitem__, failed=failed)
    return found, errors


def test_what_a_lost_worker_did_is_done_again_in_a_new_one_before_the_rest() -> None:
    found, errors = outcome(busy.fail_or_die, [4, 1, 5], {1: 3})
    assert list(found) == [4, 3, 5]
    assert [(item, type(error)) for item, error in errors] == [(1, WorkerLost)]
    # That of 4 was killed with 1, so that 3 and 5 share another one.
    assert found[3] == found[5] != found[4]


def test_what_fails_is_given_up_and_its_worker_replaced_while_the_rest_goes_on() -> None:
    found, errors = outcome(busy.fail_or_die, [4, 2, 1, 2, 5], {})
    assert list(found) == [4, 5]
    assert [(item, type(error)) for item, error in errors] == [(2, KeyError), (1, WorkerLost), (2, KeyError)]
    assert found[4] != found[5]


def test_what_is_done_again_may_fail_again_until_that_ends_all() -> None:
    times: list[int] = []

    def failed(item: int, error: Exception) -> int:
        times.append(item)
        if len(times) == 3:
            raise error
        return item

    with pytest.raises(WorkerLost) as lost:
        in_workers(busy.fail_or_die, [1], 1, lambda item, result: None, failed=failed)
    assert times == [1, 1, 1]
    assert lost.value.what == "a worker process was ended from outside (SIGKILL), for want of memory perhaps"
