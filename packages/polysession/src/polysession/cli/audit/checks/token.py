"""The session token: how it is drawn, and what is accepted in its place."""

from __future__ import annotations

import math
import string

from ..check import ASVS, NIST, SMCS, Finding, check, failed, judged, mask, passed
from ..subject import Subject

BITS = 128
_ALPHABETS = (
    string.digits,
    string.digits + "abcdef",
    string.digits + "ABCDEF",
    string.digits + string.ascii_lowercase,
    string.ascii_uppercase + "234567",
    string.digits + string.ascii_letters,
    string.digits + string.ascii_letters + "-_",
    string.digits + string.ascii_letters + "+/",
)
_ALTERED = 6  # places in a token


def entropy(tokens: tuple[str, ...]) -> tuple[int, float, int]:
    """The places that vary, the bits that they hold at most, and the size of the alphabet.

    An upper bound: a place that is the same in every token holds nothing; one that varies holds all of the smallest
    usual alphabet that has all characters seen. How the characters are drawn cannot be seen from outside.
    """
    length = min(len(token) for token in tokens)
    varying = [place for place in range(length) if len({token[place] for token in tokens}) > 1]
    seen = {token[place] for token in tokens for place in varying}
    size = min((len(one) for one in _ALPHABETS if seen <= set(one)), default=max(64, len(seen)))
    return len(varying), len(varying) * math.log2(size), size


@check(
    "ASVS-7.2.2",
    "Tokens are made at sign-in, not given out for good",
    source=ASVS.format("7.2.2"),
    advice="Make a new token at each sign-in.",
)
def dynamic(subject: Subject) -> Finding:
    one, other = subject.sample[:2]
    return judged(one != other, f"two sign-ins of one account: {mask(one)} and {mask(other)}")


@check(
    "ASVS-7.2.3",
    f"Tokens are unique and can hold {BITS} bits of entropy",
    source=ASVS.format("7.2.3") + "; " + SMCS.format("Session ID Entropy") + "; " + NIST.format("5.1 (2)"),
    advice="Draw 16 bytes or more from the system's generator (secrets.token_urlsafe).",
)
def unguessable(subject: Subject) -> Finding:
    tokens = subject.sample
    different = len(set(tokens))
    places, bits, size = entropy(tokens)
    evidence = (
        f"{len(tokens)} tokens, {different} different; {places} of {len(tokens[0])} places vary, of {size} characters: "
        f"{bits:.0f} bits at most"
    )
    return judged(different == len(tokens) and bits >= BITS, evidence)


@check(
    "ASVS-7.2.1",
    "An altered token opens nothing: the server verifies it",
    source=ASVS.format("7.2.1"),
    advice="Look the whole token up on the server, or verify its signature, at every request.",
)
def verified(subject: Subject) -> Finding:
    token = subject.first.cookie.value
    last = len(token) - 2  # the last character of base64 may have bits that mean nothing
    places = sorted({round(step * last / (_ALTERED - 1)) for step in range(_ALTERED)})
    for place in places:
        other = "A" if token[place] != "A" else "B"
        if subject.opens_anything(token[:place] + other + token[place + 1 :]):
            return failed(f"{mask(token)} opens with character {place + 1} altered")
    return passed(f"altered at {len(places)} places, refused at each")


@check(
    "SMCS-strict",
    "A token that the app never gave is not taken as a new session's",
    source=SMCS.format("Session ID Generation and Verification: Permissive and Strict Session Management"),
    advice="Answer an unknown token with a new one, never with the one that came (fixation).",
)
def strict(subject: Subject) -> Finding:
    token = subject.made_up()
    browser = subject.with_token(token)
    if subject.app.write is not None and subject.app.write.anonymous:
        name = subject.names()[0]
        answer = subject.write(browser, name)
        adopted = browser.cookies.get(subject.cookie_name) == token and answer.ok
        if adopted and name in subject.written(subject.with_token(token)):
            return failed(f"a write with the made-up {mask(token)} made a session under it")
    browser = subject.with_token(token)
    subject.sign_in(browser)
    if browser.cookies.get(subject.cookie_name) == token:
        return failed(f"a sign-in with the made-up {mask(token)} went on under it")
    return passed(f"the made-up {mask(token)} was replaced")


@check(
    "SMCS-input",
    "Whatever stands in the cookie, it is no session and no fault",
    source=SMCS.format("Manage Session ID as Any Other User Input"),
    advice="Check the token's form before anything else is done with it.",
)
def any_input(subject: Subject) -> Finding:
    hostile: tuple[bytes, ...] = (
        b"",
        b"x",
        b"../../etc/passwd",
        b"' OR '1'='1",
        b"{{7*7}}<script>",
        "é\u202e".encode(),
        b"%00%0d%0aSet-Cookie:%20a=b",
        b"A" * 4000,
        b"A" * 16000,
    )
    for value in hostile:
        cookie = subject.cookie_name.encode() + b"=" + value
        answer = subject.with_token("").ask("GET", subject.app.protected[0], headers={"Cookie": cookie})
        if answer.status >= 500 or subject.opens(answer):
            return failed(f"a value of {len(value)} bytes was answered {answer.status}")
    return passed(f"{len(hostile)} hostile values, up to 16,000 bytes: none opened a page, none was a 5xx")


@check(
    "SMCS-two-cookies",
    "Two session cookies in one request are no way in and no fault",
    source=SMCS.format("Considerations When Using Multiple Cookies"),
    advice="Refuse a request with two session cookies, or let neither one be adopted.",
)
def two_cookies(subject: Subject) -> Finding:
    token, planted = subject.first.cookie.value, subject.made_up()
    name, seen = subject.cookie_name, []
    for pair in ((token, planted), (planted, token)):
        cookie = "; ".join(f"{name}={value}" for value in pair)
        answer = subject.with_token("").ask("GET", subject.app.protected[0], headers={"Cookie": cookie})
        seen.append(answer.status)
        if answer.status >= 500:
            return failed(f"answered {answer.status}")
        if any(one.name == name and one.value == planted for one in answer.cookies):
            return failed(f"the made-up {mask(planted)} was set")
    if not subject.is_signed_in(subject.first.browser):
        return failed("the real session had ended after it")
    return passed(f"answered {seen[0]} and {seen[1]}; the real session lives, the made-up token was not set")


@check(
    "ASVS-14.2.1",
    "The token is not accepted from the URL",
    source=ASVS.format("14.2.1") + "; " + SMCS.format("Used vs. Accepted Session ID Exchange Mechanisms"),
    advice="Take the token from the cookie alone.",
)
def not_in_url(subject: Subject) -> Finding:
    token, path = subject.sign_in().cookie.value, subject.app.protected[0]
    subject.tokens.discard(token)  # that it stands in logs and spans from here on is this check's doing
    for name in dict.fromkeys((subject.cookie_name, "session", "sid", "token")):
        joint = "&" if "?" in path else "?"
        if subject.opens(subject.with_token("").ask("GET", f"{path}{joint}{name}={token}")):
            return failed(f"{path}?{name}={mask(token)} opened")
        if subject.opens(subject.with_token("").ask("GET", f"{path};{name}={token}")):
            return failed(f"{path};{name}={mask(token)} opened")
    return passed("as a query or path parameter it opens nothing")


CHECKS = (dynamic, unguessable, verified, strict, any_input, two_cookies, not_in_url)
