"""What a request with a session may do, and what its answer says to caches."""

from __future__ import annotations

from ..check import ASVS, NIST, SMCS, Finding, check, failed, judged, mask, needs, passed
from ..http import Browser, is_loopback
from ..subject import Subject


@check(
    "ASVS-3.5.1",
    "An unsafe request from another site changes nothing (CSRF)",
    source=ASVS.format("3.5.1") + "; " + NIST.format("5.1"),
    advice="Ask for an anti-forgery token bound to the session, or refuse another site's Origin.",
)
def not_forged(subject: Subject) -> Finding:
    browser = subject.sign_in().browser
    tried, answer = 0, None
    if subject.app.write is not None:
        tried += 1
        name = subject.names()[-1]
        answer = subject.forged(browser, subject.app.write, name=name, value="1")
        if name in subject.written(browser):
            return failed(f"a write from another origin was answered {answer.status} and took effect")
    if subject.app.sign_out is not None:
        tried += 1
        answer = subject.forged(browser, subject.app.sign_out)
        if not subject.is_signed_in(browser):
            return failed(f"a sign-out from another origin was answered {answer.status} and took effect")
    if answer is None:
        return needs("write and read, or sign_out")
    return passed(
        f"{tried} forged request{'s' if tried > 1 else ''}: no effect, the last answered {answer.status}"
    )


@check(
    "ASVS-3.5.3",
    "GET and HEAD end no session",
    source=ASVS.format("3.5.3"),
    advice="Sign out by POST or DELETE: a link or an image of another site is a GET.",
)
def safe_methods(subject: Subject) -> Finding:
    action = subject.app.sign_out
    if action is None:
        return needs("sign_out: how one signs out")
    browser = subject.sign_in().browser
    for method in ("GET", "HEAD"):
        path, _, _ = action.fill({}, {})
        answer = browser.copy().ask(method, path)
        if not subject.is_signed_in(browser):
            return failed(f"{method} {path} was answered {answer.status} and ended the session")
    return passed(f"GET and HEAD {path}: still signed in")


@check(
    "ASVS-4.1.4",
    "TRACE is refused: it would show the cookie to a script",
    source=ASVS.format("4.1.4"),
    advice="Answer 405 to methods that the app does not use.",
)
def no_trace(subject: Subject) -> Finding:
    browser = subject.first.browser.copy()
    answer = browser.ask("TRACE", subject.app.protected[0])
    token = subject.first.cookie.value
    if token and token in answer.text:
        return failed(f"answered {answer.status}, with {mask(token)} in it")
    return judged(not answer.ok, f"answered {answer.status}")


@check(
    "ASVS-14.3.2",
    "Pages of a signed-in session are not cached: Cache-Control: no-store",
    source=ASVS.format("14.3.2") + "; " + SMCS.format("Web Content Caching"),
    advice="Send Cache-Control: no-store with every answer that depends on the session.",
)
def not_cached(subject: Subject) -> Finding:
    browser = subject.first.browser
    for path in subject.app.protected:
        header = browser.copy().ask("GET", path).header("Cache-Control")
        if "no-store" not in header.lower():
            return failed(f"{path}: {header or 'no Cache-Control'}")
    return passed(
        f"on {len(subject.app.protected)} protected page{'s' if len(subject.app.protected) > 1 else ''}"
    )


@check(
    "ASVS-7.6.2",
    "A look around creates no session",
    source=ASVS.format("7.6.2"),
    advice="Create a session at the first write, not at the first visit.",
)
def no_session_by_looking(subject: Subject) -> Finding:
    browser = Browser(subject.http)
    pages = [*subject.app.protected, *([subject.app.csrf.page] if subject.app.csrf else [])]
    for path in pages:
        browser.ask("GET", path)
        if subject.cookie_name in browser.cookies:
            return failed(f"GET {path} set {subject.cookie_name}")
    return passed(f"GET {', '.join(dict.fromkeys(pages))}: no {subject.cookie_name}")


@check(
    "ASVS-12.2.1",
    "The app is reached by TLS alone",
    source=ASVS.format("12.2.1") + "; " + NIST.format("5.1"),
    advice="Serve it by https and nothing else.",
)
def by_tls(subject: Subject) -> Finding:
    if subject.http.secure:
        return passed(subject.http.origin)
    if is_loopback(subject.http.host):
        return needs("the address that users have: this one is plain HTTP on this machine")
    return failed(subject.http.origin)


CHECKS = (not_forged, safe_methods, no_trace, not_cached, no_session_by_looking, by_tls)
