import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.traces.span import Event, Link
from local.traces.store import Query, Store
from local.traces.tests.spans import MS, NOW, TRACE, make_span


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "traces.sqlite", limit=10, spans_a_trace=6)
    yield store
    store.close()


def trace_id(number: int) -> str:
    return f"{number:032x}"


def test_a_span_comes_back_as_it_went_in(store: Store) -> None:
    span = make_span(
        attributes={"a": 1, "b": 0.5, "c": True, "d": ["x", 2], "session.id": "id1"},
        events=(Event(NOW, "exception", {"exception.type": "TypeError"}),),
        links=(Link("ab" * 16, "cd" * 8),),
        scope="shell",
    )
    assert store.add([span]) == 0
    assert store.trace(TRACE) == [span]


def test_the_spans_of_a_trace_come_by_their_start_however_they_arrived(store: Store) -> None:
    store.add([make_span(3, parent=1)])
    store.add([make_span(2, parent=1), make_span(1)])
    assert [int(span.span_id, 16) for span in store.trace(TRACE)] == [1, 2, 3]


def test_a_span_that_is_sent_twice_is_one(store: Store) -> None:
    store.add([make_span(1), make_span(1)])
    store.add([make_span(1, name="again")])
    assert [span.name for span in store.trace(TRACE)] == ["again"]


def test_the_oldest_traces_go_whole_when_there_are_too_many_spans(store: Store) -> None:
    for number in (1, 2, 3):
        store.add(make_span(n, trace_id=trace_id(number)) for n in range(1, 5))
    assert store.trace(trace_id(1)) == []
    assert len(store.trace(trace_id(2))) == len(store.trace(trace_id(3))) == 4


def test_one_trace_cannot_drive_out_all_others(store: Store) -> None:
    store.add([make_span(1, trace_id=trace_id(1))])
    dropped = store.add(make_span(n, trace_id=trace_id(2)) for n in range(1, 100))
    assert dropped == 93
    assert len(store.trace(trace_id(2))) == 6
    assert len(store.trace(trace_id(1))) == 1


def test_a_file_stays_below_its_bound_however_much_arrives(store: Store) -> None:
    for number in range(1, 60):
        store.add(make_span(n, trace_id=trace_id(number)) for n in range(1, 4))
    assert sum(len(spans) for spans in store.find(Query(limit=500))) <= 10


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(), {1, 2}),
        (Query(service="users"), {2}),
        (Query(service="nobody"), set()),
        (Query(service="orders", operation="GET /cart"), {1}),
        (Query(service="users", operation="GET /cart"), set()),
        (Query(tags={"session.id": "id2"}), {2}),
        (Query(tags={"status": "201"}), {1}),
        (Query(tags={"error": "true"}), {2}),
        (Query(tags={"span.kind": "client"}), {2}),
        (Query(tags={"passive": "true"}), {1}),
        (Query(tags={"session.id": "id1", "error": "true"}), set()),
        (Query(tags={'x" OR 1=1 --': "1"}), set()),
        (Query(earliest=NOW + 500 * MS), {2}),
        (Query(latest=NOW + 500 * MS), {1}),
        (Query(shortest=20 * MS), {2}),
        (Query(longest=20 * MS), {1}),
        (Query(limit=1), {2}),
    ],
)
def test_a_trace_is_found_by_one_span_that_has_all_that_is_asked(
    store: Store, query: Query, found: set[int]
) -> None:
    store.add(
        [make_span(trace_id=trace_id(1), attributes={"session.id": "id1", "status": 201, "passive": True})]
    )
    store.add(
        [
            make_span(
                1000,
                trace_id=trace_id(2),
                service="users",
                name="POST /sessions",
                kind="client",
                failed=True,
                end=NOW + 1100 * MS,
                attributes={"session.id": "id2"},
            )
        ]
    )
    assert {int(spans[0].trace_id, 16) for spans in store.find(query)} == found


def test_services_keep_their_place_and_operations_are_theirs(store: Store) -> None:
    store.add([make_span(1, service="users", name="b"), make_span(2, service="edge", name="a")])
    store.add([make_span(3, service="users", name="a")])
    assert store.services() == ["users", "edge"]
    assert store.operations("users") == ["a", "b"]
    assert store.operations("nobody") == []


def test_traces_are_there_after_a_restart(tmp_path: Path) -> None:
    for expected in (0, 1):
        store = Store(tmp_path / "traces.sqlite")
        assert len(store.trace(TRACE)) == expected
        store.add([make_span()])
        store.close()


def test_a_damaged_file_is_replaced_by_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "traces.sqlite"
    path.write_bytes(b"not a database, but long enough to look at" * 100)
    store = Store(path)
    store.add([make_span()])
    assert len(store.trace(TRACE)) == 1
    store.close()


def test_a_file_that_another_process_holds_is_not_deleted(tmp_path: Path) -> None:
    path = tmp_path / "traces.sqlite"
    store = Store(path)
    store.add([make_span()])
    store.close()
    holder = sqlite3.connect(path)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(sqlite3.OperationalError):
        Store(path, patience=0.01)
    holder.close()
    store = Store(path)
    assert len(store.trace(TRACE)) == 1
    store.close()
