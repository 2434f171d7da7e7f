from chassis.lifecycle import Lifecycle


def test_what_was_opened_last_is_closed_first_and_a_failure_stops_nothing() -> None:
    lifecycle, seen = Lifecycle(), list[str]()

    def fail() -> None:
        seen.append("failing")
        raise RuntimeError("does not close")

    lifecycle.on_stop(lambda: seen.append("pool"))
    lifecycle.on_stop(fail)
    lifecycle.on_stop(lambda: seen.append("client"))
    lifecycle.stop()
    lifecycle.stop()
    assert seen == ["client", "failing", "pool"]


def test_draining_comes_once_however_often_it_is_said() -> None:
    lifecycle, seen = Lifecycle(), list[str]()
    lifecycle.on_drain(lambda: seen.append("drain"))
    lifecycle.drain()
    lifecycle.drain()
    assert seen == ["drain"]
