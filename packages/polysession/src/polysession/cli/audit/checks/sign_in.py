"""What a sign-in does to the session that was there before it."""

from __future__ import annotations

from ..check import ASVS, NIST, SMCS, Finding, check, failed, judged, mask, needs
from ..http import Browser
from ..subject import Subject

_RENEW = SMCS.format("Renew the Session ID After Any Privilege Level Change")
_FIXATION = (
    "Make a new session with a new token at sign-in and end the old one: a token that an attacker planted before it is "
    "then worth nothing."
)


def _before(subject: Subject) -> Browser:
    """A browser as it is before sign-in: with an anonymous session, where the app has them, or a made-up token."""
    browser = Browser(subject.http)
    if subject.app.write is not None and subject.app.write.anonymous:
        subject.write(browser, subject.names()[0])
    if not subject.token(browser):
        browser.ask("GET", subject.app.csrf.page if subject.app.csrf else subject.app.sign_in.path)
    if not subject.token(browser):
        browser.cookies[subject.cookie_name] = subject.made_up()
    return browser


@check(
    "ASVS-7.2.4a",
    "A sign-in brings a new token",
    source=ASVS.format("7.2.4") + "; " + _RENEW,
    advice=_FIXATION,
)
def new_token(subject: Subject) -> Finding:
    browser = _before(subject)
    before = subject.token(browser)
    after = subject.sign_in(browser).cookie.value
    return judged(before != after, f"before {mask(before)}, after {mask(after)}")


@check(
    "ASVS-7.2.4b",
    "A token planted before sign-in is never signed in (fixation)",
    source=ASVS.format("7.2.4") + "; " + _RENEW,
    advice=_FIXATION,
)
def not_fixed(subject: Subject) -> Finding:
    victim = _before(subject)
    planted = subject.token(victim)
    subject.sign_in(victim)
    return judged(
        not subject.opens_anything(planted), f"the planted {mask(planted)}, used after the victim's sign-in"
    )


@check(
    "ASVS-7.2.4c",
    "Signing in again brings a new token and ends the old one",
    source=ASVS.format("7.2.4"),
    advice="Renew the session at re-authentication too, and end the one before it.",
)
def renewed_again(subject: Subject) -> Finding:
    browser = subject.sign_in().browser
    before = subject.token(browser)
    after = subject.sign_in(browser).cookie.value
    if before == after:
        return failed(f"{mask(before)} before and after")
    return judged(not subject.opens_anything(before), f"before {mask(before)}, after {mask(after)}")


@check(
    "NIST-2.2.3",
    "The stated timeouts are within NIST's limits",
    source=NIST.format("2.1.3, 2.2.3, 2.3.3"),
    advice="AAL1: 30 days at most. AAL2: 24 hours, 1 hour without activity. AAL3: 12 hours, 15 minutes.",
)
def within_limits(subject: Subject) -> Finding:
    times = subject.app.timeouts
    if times.idle is None or times.absolute is None:
        return needs("timeouts.idle and timeouts.absolute, in seconds, and timeouts.aal")
    idle_limit, limit = {1: (0, 30 * 86400), 2: (3600, 86400), 3: (900, 43200)}.get(times.aal, (0, 0))
    idle = not idle_limit or 0 < times.idle <= idle_limit
    told = [
        f"{name} {value} s" if value else f"no {name}" for name, value in _told(times.idle, times.absolute)
    ]
    return judged(idle and 0 < times.absolute <= limit, f"AAL{times.aal}: {', '.join(told)} (stated)")


def _told(idle: int, absolute: int) -> tuple[tuple[str, int], ...]:
    return ("idle timeout", idle), ("absolute timeout", absolute)


CHECKS = (new_token, not_fixed, renewed_again, within_limits)
