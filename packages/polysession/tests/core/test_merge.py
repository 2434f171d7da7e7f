"""Mappings merge by key at any depth; on the same leaf the last write wins and is counted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polysession.core.merge import MISSING, Merged, merge, same

leaves = st.none() | st.booleans() | st.integers(0, 3) | st.lists(st.integers(0, 2), max_size=2)
trees = st.recursive(leaves, lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3))
maybe = trees | st.just(MISSING)


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "merged", "lost"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, {"a": 1, "c": 3}, {"a": 1, "c": 3, "b": 2}, 0),
        ({"a": 1, "b": 2}, {"a": 1}, {"a": 9, "b": 2}, {"a": 9}, 0),
        (
            {"x": {"a": 1}},
            {"x": {"a": 1, "b": 2}},
            {"x": {"a": 1, "c": 3}},
            {"x": {"a": 1, "c": 3, "b": 2}},
            0,
        ),
        (MISSING, {"a": 1}, {"b": 2}, {"b": 2, "a": 1}, 0),
        ({"a": 1}, {"a": 2}, {"a": 3}, {"a": 2}, 1),
        ({"a": 1}, {"a": 2}, {}, {"a": 2}, 1),
        ({"a": 1}, {}, {"a": 2}, {}, 1),
        (1, 2, 3, 2, 1),
        ([1], [1, 2], [1, 3], [1, 2], 1),
        (1, MISSING, 2, MISSING, 1),
        (1, 2, MISSING, 2, 1),
        (1, {"a": 1}, {"b": 1}, {"b": 1, "a": 1}, 0),
        ({"a": 1}, {"a": True}, {"a": 1.0}, {"a": True}, 1),
    ],
)
def test_what_two_requests_changed_is_laid_over_each_other(
    base: Any, mine: Any, theirs: Any, merged: Any, lost: int
) -> None:
    outcome = merge(base, mine, theirs)
    assert same(outcome.value, merged)
    assert outcome.last_write == lost


@given(maybe, maybe)
def test_who_changed_nothing_takes_the_others_value(base: Any, other: Any) -> None:
    assert same(merge(base, base, other).value, other)
    assert merge(base, base, other).last_write == 0
    assert same(merge(base, other, base).value, other)
    assert merge(base, other, base).last_write == 0


@given(maybe, maybe)
def test_the_same_change_twice_is_no_conflict(base: Any, change: Any) -> None:
    assert merge(base, change, change) == Merged(change)


@given(
    st.dictionaries(st.sampled_from("abcd"), leaves),
    st.dictionaries(st.sampled_from("efgh"), leaves, min_size=1),
    st.dictionaries(st.sampled_from("ijkl"), leaves, min_size=1),
)
def test_changes_of_different_keys_are_all_kept(base: Any, mine: Any, theirs: Any) -> None:
    outcome = merge(base, base | mine, base | theirs)
    assert same(dict(sorted(outcome.value.items())), dict(sorted((base | mine | theirs).items())))
    assert outcome.last_write == 0


@given(maybe, maybe, maybe)
def test_a_merge_changes_none_of_its_inputs(base: Any, mine: Any, theirs: Any) -> None:
    before = repr((base, mine, theirs))
    merge(base, mine, theirs)
    assert repr((base, mine, theirs)) == before
