"""Mappings merge by key at any depth; on the same leaf the last write wins and is counted. Declared policies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polysession.core.merge import MISSING, Merged, Rule, merge, same

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


# --- declared

COUNTER, SET, LIST, LAST_WRITE = (Rule(name) for name in ("counter", "set", "list", "last_write"))  # type: ignore[arg-type]
counts = st.integers(-(2**70), 2**70)
letters = st.sets(st.sampled_from("abcdef"))
words = st.lists(st.sampled_from("abc"), max_size=5)


@given(counts | st.just(MISSING), st.lists(counts, min_size=1, max_size=6), st.randoms())
def test_every_increment_of_a_counter_counts_whatever_the_order(
    base: Any, deltas: list[int], order: Any
) -> None:
    start = 0 if base is MISSING else base
    order.shuffle(deltas)
    stands: Any = base
    for delta in deltas:  # each read the same value, and meets what was written since
        merged = merge(base, start + delta, stands, COUNTER)
        assert merged.last_write == 0
        stands = merged.value
    assert (0 if stands is MISSING else stands) == start + sum(deltas)


@given(letters, letters, letters, letters)
def test_every_added_and_removed_element_of_a_set_counts(
    base: Any, add: Any, remove: Any, theirs: Any
) -> None:
    mine = (base | add) - remove
    merged = merge(base, mine, theirs, SET)
    assert merged.value == (theirs | (mine - base)) - (base - mine)
    assert merged.value == merge(base, theirs, mine, SET).value
    assert merged.last_write == 0


def removed(items: list[str], picks: Any) -> list[str]:
    return [item for item in items if picks.random() < 0.6]


@given(words, words, words, st.randoms())
def test_every_append_to_a_list_is_kept_in_order_and_no_removed_item_returns(
    base: list[str], add: list[str], add_too: list[str], picks: Any
) -> None:
    """Items are numbered, so that it can be told which one went."""
    base = [f"{item}{number}" for number, item in enumerate(base)]
    mine_kept, theirs_kept = removed(base, picks), removed(base, picks)
    mine_added, theirs_added = [f"mine-{item}" for item in add], [f"theirs-{item}" for item in add_too]
    merged = merge(base, [*mine_kept, *mine_added], [*theirs_kept, *theirs_added], LIST)
    kept = [item for item in base if item in mine_kept and item in theirs_kept]
    assert merged == Merged([*kept, *theirs_added, *mine_added])


@given(st.lists(words, min_size=1, max_size=5))
def test_appends_of_many_requests_are_all_kept_each_in_its_order(appended: list[list[str]]) -> None:
    base, stands = ["read"], ["read"]
    for mine in appended:
        stands = merge(base, [*base, *mine], stands, LIST).value
    assert stands == [*base, *(item for mine in appended for item in mine)]


@pytest.mark.parametrize(
    ("rule", "base", "mine", "theirs", "merged"),
    [
        (COUNTER, 5, 6, 6, 7),  # both added one: no "same change twice"
        (COUNTER, 5, MISSING, 7, 2),
        (COUNTER, 5, 7, MISSING, 2),
        (COUNTER, 5, MISSING, MISSING, MISSING),
        (SET, {"a"}, MISSING, {"a", "b"}, {"b"}),
        (SET, {"a"}, MISSING, set(), MISSING),
        (SET, MISSING, {"a"}, {"b"}, {"a", "b"}),
        (LIST, ["shown"], MISSING, ["shown", "new"], ["new"]),
        (LIST, ["shown", "new"], ["shown", "new", "newer"], MISSING, ["newer"]),
        (LIST, ["a"], ["b"], MISSING, ["b"]),
        (LIST, ["a", "b"], ["A", "b"], ["a", "b", "c"], ["c", "A", "b"]),
        (LIST, MISSING, [1], [1], [1, 1]),
        (LIST, ["a"], MISSING, MISSING, MISSING),
    ],
)
def test_what_was_deleted_or_replaced_by_one_meets_the_change_of_the_other(
    rule: Rule, base: Any, mine: Any, theirs: Any, merged: Any
) -> None:
    assert merge(base, mine, theirs, rule) == Merged(merged)


@pytest.mark.parametrize(
    ("rule", "base", "mine", "theirs"),
    [
        (COUNTER, 1, 2, "3"),
        (COUNTER, True, 2, 3),
        (SET, ["a"], {"b"}, {"c"}),
        (LIST, "json", ["b"], ["c"]),
        (LAST_WRITE, {"a": 1}, {"a": 1, "b": 2}, {"a": 1, "c": 3}),
    ],
)
def test_a_value_that_does_not_fit_its_policy_is_a_leaf_and_counted(
    rule: Rule, base: Any, mine: Any, theirs: Any
) -> None:
    assert merge(base, mine, theirs, rule) == Merged(mine, last_write=1)


def test_counters_inside_a_mapping_add_up() -> None:
    rule = Rule("merge", values=COUNTER)
    outcome = merge({"book": 1}, {"book": 2, "pen": 1}, {"book": 2, "pen": 1, "ink": 1}, rule)
    assert outcome == Merged({"book": 3, "pen": 2, "ink": 1})


@given(maybe, maybe, maybe, st.sampled_from([COUNTER, SET, LIST, LAST_WRITE, Rule("merge", COUNTER)]))
def test_no_policy_changes_its_inputs_or_fails(base: Any, mine: Any, theirs: Any, rule: Rule) -> None:
    before = repr((base, mine, theirs))
    merge(base, mine, theirs, rule)
    assert repr((base, mine, theirs)) == before
