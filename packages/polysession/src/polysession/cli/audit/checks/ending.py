"""Sign-out, here and everywhere, and what time ends."""

from __future__ import annotations

import time

from ..check import ASVS, NIST, SMCS, Finding, check, failed, judged, mask, needs, not_applicable, passed
from ..http import sleep
from ..subject import CannotSignIn, Subject

_SIGN_OUT = "sign_out: how one signs out"


@check(
    "ASVS-7.4.1a",
    "After sign-out the token opens nothing, on any protected page",
    source=ASVS.format("7.4.1") + "; " + SMCS.format("Session Expiration"),
    advice="End the session on the server; clearing the cookie is not enough.",
)
def ended_on_server(subject: Subject) -> Finding:
    if subject.app.sign_out is None:
        return needs(_SIGN_OUT)
    browser = subject.sign_in().browser
    token = subject.token(browser)
    answer = subject.act(browser, subject.app.sign_out)
    pages = len(subject.app.protected)
    return judged(
        not subject.opens_anything(token),
        f"sign-out answered {answer.status}; {mask(token)} replayed on {pages} page{'s' if pages > 1 else ''}",
    )


@check(
    "NIST-5.1-3",
    "Sign-out clears the cookie",
    source=NIST.format("5.1 (3)"),
    advice="Clear the cookie in the answer to the sign-out, with the attributes it was set with.",
)
def cookie_cleared(subject: Subject) -> Finding:
    if subject.app.sign_out is None:
        return needs(_SIGN_OUT)
    browser = subject.sign_in().browser
    before = subject.token(browser)
    answer = subject.act(browser, subject.app.sign_out)
    after = browser.cookies.get(subject.cookie_name)
    evidence = f"{subject.cookie_name} {'is kept' if after == before else 'is gone'} after {answer.status}"
    return judged(after != before, evidence)


@check(
    "ASVS-14.3.1",
    "Sign-out clears what the browser keeps of it: Clear-Site-Data",
    source=ASVS.format("14.3.1"),
    advice="Send Clear-Site-Data, or let the page clear what it keeps; both is best.",
)
def site_data(subject: Subject) -> Finding:
    if subject.app.sign_out is None:
        return needs(_SIGN_OUT)
    answer = subject.act(subject.sign_in().browser, subject.app.sign_out)
    header = answer.header("Clear-Site-Data")
    if header:
        return passed(header)
    return _stated(subject, "ASVS-14.3.1") or needs(
        "no Clear-Site-Data: see whether the page clears what it keeps"
    )


def _stated(subject: Subject, number: str) -> Finding | None:
    told = subject.app.stated.get(number)
    return passed(f"stated, not checked: {told}") if told else None


@check(
    "ASVS-7.5.2a",
    "Users see where they are signed in",
    source=ASVS.format("7.5.2"),
    advice="Give users a page with their live sessions and a way to end each.",
)
def sees_sessions(subject: Subject) -> Finding:
    if "sessions" in subject.app.absent:
        return failed("the app has no such page")
    if not subject.app.sessions:
        return needs("sessions.path: where users see their sessions")
    one = subject.sign_in().browser
    before = len(one.copy().ask("GET", subject.app.sessions).body)
    subject.sign_in()
    answer = one.copy().ask("GET", subject.app.sessions)
    return judged(
        answer.ok and len(answer.body) > before,
        f"{subject.app.sessions} answered {answer.status}, with {len(answer.body) - before:+d} bytes after another "
        "sign-in",
    )


@check(
    "ASVS-7.5.2b",
    "Users can end all of their sessions",
    source=ASVS.format("7.5.2"),
    advice="Give users “sign out everywhere”, and end every session on the server.",
)
def ends_all(subject: Subject) -> Finding:
    if "end_all" in subject.app.absent:
        return failed("the app has no such action")
    if subject.app.end_all is None:
        return needs("end_all: how one signs out everywhere")
    here, there = subject.sign_in().browser, subject.sign_in().browser
    tokens = subject.token(here), subject.token(there)
    answer = subject.act(here, subject.app.end_all)
    alive = [mask(token) for token in tokens if subject.opens_anything(token)]
    return judged(not alive, f"answered {answer.status}; {len(alive)} of 2 sessions still open a page")


@check(
    "ASVS-7.4.3",
    "A changed password ends the other sessions, or offers to",
    source=ASVS.format("7.4.3"),
    advice="End every other session of the account when its password changes.",
)
def password_ends_others(subject: Subject) -> Finding:
    if "password" in subject.app.absent:
        return not_applicable("the app has no password change")
    action = subject.app.password
    if action is None:
        return needs("password: how one changes it ({old}, {new}); it is changed back")
    here, there = subject.sign_in().browser, subject.sign_in().browser
    other, old = subject.token(there), subject.password
    new = f"{old}-Audit9"
    answer = subject.act(here, action, old=old, new=new)
    subject.password = new
    try:
        again = subject.sign_in().browser
    except CannotSignIn:
        subject.password = old
        return needs(f"a password change that works: after it ({answer.status}) only the old one signs in")
    alive = subject.opens_anything(other)
    subject.act(again, action, old=new, new=old)
    subject.password = old
    try:
        subject.sign_in()
    except CannotSignIn:
        subject.password = new
        return failed("it cannot be changed back: the account's password now ends in -Audit9")
    return judged(
        not alive, f"answered {answer.status}; the other session {'lives' if alive else 'has ended'}"
    )


def _awaited(subject: Subject, name: str, seconds: float | None) -> float | Finding:
    """The seconds, where they can be waited for; else what to say instead."""
    if seconds == 0:
        return failed("there is none (stated)")
    if seconds is None or seconds > subject.wait:
        return needs(
            f"timeouts.{name} of a test deployment, and --wait of as many seconds (it is {subject.wait:.0f})"
        )
    return seconds


@check(
    "ASVS-7.3.1",
    "A session ends when it is not used: idle timeout",
    source=ASVS.format("7.3.1") + "; " + SMCS.format("Idle Timeout"),
    advice="End a session on the server when it was not used for so long.",
)
def idles_out(subject: Subject) -> Finding:
    idle = _awaited(subject, "idle", subject.app.timeouts.idle)
    if isinstance(idle, Finding):
        return idle
    browser = subject.sign_in().browser
    sleep(idle + 1)
    return judged(not subject.is_signed_in(browser), f"after {idle + 1} s without a request")


@check(
    "ASVS-7.3.2",
    "A session ends however much it is used: absolute timeout",
    source=ASVS.format("7.3.2") + "; " + SMCS.format("Absolute Timeout"),
    advice="End a session on the server so long after its sign-in.",
)
def ends_at_last(subject: Subject) -> Finding:
    absolute = _awaited(subject, "absolute", subject.app.timeouts.absolute)
    if isinstance(absolute, Finding):
        return absolute
    browser = subject.sign_in().browser
    until = time.monotonic() + absolute + 1
    asked = 0
    while time.monotonic() < until:
        browser.ask("GET", subject.app.protected[0])
        asked += 1
        sleep(min(0.5, max(0.05, absolute / 8)))
    return judged(not subject.is_signed_in(browser), f"after {absolute + 1} s and {asked} requests")


CHECKS = (
    ended_on_server,
    cookie_cleared,
    site_data,
    sees_sessions,
    ends_all,
    password_ends_others,
    idles_out,
    ends_at_last,
)
