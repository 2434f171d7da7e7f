import pytest

from local.traces import page
from local.traces.tests.spans import MS, NOW, make_span


def order(*spans: object) -> list[tuple[int, int]]:
    return [(int(span.span_id, 16), depth) for span, depth in page.walk(spans)]  # type: ignore[arg-type]


def test_children_follow_their_parent_by_their_start() -> None:
    spans = [make_span(4, parent=2), make_span(3, parent=1), make_span(2, parent=1), make_span(1)]
    assert order(*spans) == [(1, 0), (2, 1), (4, 2), (3, 1)]


def test_a_span_whose_parent_is_missing_is_a_root() -> None:
    assert order(make_span(2, parent=99), make_span(1)) == [(1, 0), (2, 0)]


def test_spans_that_are_each_others_parents_are_shown_once() -> None:
    assert sorted(order(make_span(1, parent=2), make_span(2, parent=1), make_span(3, parent=3))) == [
        (1, 0),
        (2, 1),
        (3, 0),
    ]


def test_a_trace_may_be_deeper_than_a_recursion() -> None:
    assert len(order(*(make_span(n, parent=n - 1) for n in range(1, 3000)))) == 2999


def test_a_bar_lies_where_its_time_lies() -> None:
    spans = [
        make_span(1, start=NOW, end=NOW + 100 * MS),
        make_span(2, parent=1, start=NOW + 25 * MS, end=NOW + 75 * MS),
        make_span(3, parent=1, start=NOW + 100 * MS, end=NOW + 100 * MS),
    ]
    rows = page.waterfall(spans, {"orders": 5})
    assert [(row.bar.left, row.bar.width, row.bar.label) for row in rows] == [
        (0, 100, "inside"),
        (25, 50, "after"),
        (99.7, 0.3, "before"),
    ]
    assert {row.colour for row in rows} == {5}


def test_a_summary_names_services_sessions_and_faults() -> None:
    spans = [
        make_span(1, service="edge", name="edge", start=NOW, end=NOW + 9 * MS, attributes={}),
        make_span(2, parent=1, failed=True),
        make_span(3, parent=2),
    ]
    summary = page.summarise(spans, {"edge": 0, "orders": 1})
    assert (summary.spans, summary.failed, summary.start) == (3, 1, NOW)
    assert summary.name == "GET /cart"  # "edge" says nothing that the service does not
    assert [(s.name, s.colour, s.spans) for s in summary.services] == [("edge", 0, 1), ("orders", 1, 2)]
    assert summary.session_ids == ("id1",)


def test_each_of_the_first_eight_services_has_its_own_colour() -> None:
    assert sorted(page.colours([f"s{n}" for n in range(8)]).values()) == list(range(8))


@pytest.mark.parametrize(
    ("nanoseconds", "written"),
    [
        (0, "0 µs"),
        (87_400, "87 µs"),
        (999_400, "999 µs"),
        (999_600, "1.00 ms"),
        (4_210_000, "4.21 ms"),
        (12_340_000, "12.3 ms"),
        (214_000_000, "214 ms"),
        (999_600_000, "1.00 s"),
        (61_000_000_000, "61.0 s"),
    ],
)
def test_a_duration_has_three_digits(nanoseconds: int, written: str) -> None:
    assert page.length(nanoseconds) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (-5, "just now"),
        (0, "just now"),
        (12, "12 s ago"),
        (61, "1 min ago"),
        (7200, "2 h ago"),
        (90000, "1 d ago"),
    ],
)
def test_how_long_ago_is_written_coarsely(seconds: int, written: str) -> None:
    assert page.ago(NOW, NOW + seconds * 10**9) == written
