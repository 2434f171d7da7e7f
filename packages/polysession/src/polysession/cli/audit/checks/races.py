"""Requests of one session at once: nothing is lost, and nothing comes back."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from typing import Any

from ..check import ASVS, Finding, check, failed, judged, mask, needs, passed
from ..http import Browser, sleep
from ..subject import Subject

WRITERS = 8  # at once
TRIALS = 6  # sign-outs with writes under way
_WRITE = "write and read: how an attribute of the session is written and shown"


@check(
    "ASVS-15.4.1",
    "Parallel writes of one session lose nothing (lost update)",
    source=ASVS.format("15.4.1"),
    advice="Merge what parallel requests write instead of saving the session as a whole: the last one wins it all.",
)
def loses_nothing(subject: Subject) -> Finding:
    action = subject.app.write
    if action is None:
        return needs(_WRITE)
    browser = subject.sign_in().browser
    names = action.names[:16]
    subject.write(browser, names[0])  # the session has something of its own before they start
    with ThreadPoolExecutor(WRITERS) as threads:
        answers = list(threads.map(lambda name: subject.write(browser.copy(), name).status, names))
    shown = subject.written(browser)
    accepted = [name for name, status in zip(names, answers, strict=True) if status < 400]
    lost = [name for name in accepted if name not in shown]
    evidence = f"{len(names)} writes of different names, {WRITERS} at once: {len(accepted)} accepted, {len(lost)} lost"
    if not accepted:
        return needs(f"a write that works: they were answered {sorted(set(answers))}")
    return judged(not lost, evidence)


@check(
    "ASVS-7.4.1b",
    "A write under way does not bring a session back after its sign-out",
    source=ASVS.format("7.4.1") + "; " + ASVS.format("15.4.2"),
    advice="Let only the first write create a session; a write to one that has ended must fail.",
)
def stays_ended(subject: Subject) -> Finding:
    """Writes start one after the other, spread over the time that one takes, around a sign-out: some have read the
    session before it ended and save it after.
    """
    if subject.app.write is None or subject.app.sign_out is None:
        return needs(f"sign_out, and {_WRITE}")
    names, out = subject.names(), subject.app.sign_out
    for trial in range(TRIALS):
        browser = subject.sign_in().browser
        token = subject.token(browser)
        took = _duration(subject, browser.copy(), names[0])
        with ThreadPoolExecutor(WRITERS) as threads:
            late: list[Future[Any]] = []
            for number in range(WRITERS - 1):
                late.append(threads.submit(subject.write, browser.copy(), names[number % len(names)]))
                if number == 3:
                    late.append(threads.submit(subject.act, browser.copy(), out))
                sleep(took / WRITERS)
            for one in late:
                one.result()
        if subject.opens_anything(token):
            return failed(f"{mask(token)} was signed in again after sign-out {trial + 1}")
    return passed(f"{TRIALS} sign-outs, each with {WRITERS - 1} writes around it: all stay ended")


def _duration(subject: Subject, browser: Browser, name: str) -> float:
    started = monotonic()
    subject.write(browser, name)
    return min(1.0, monotonic() - started)


CHECKS = (loses_nothing, stays_ended)
