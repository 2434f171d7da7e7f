"""The session cookie, as a sign-in sets it."""

from __future__ import annotations

import base64
import binascii
import re

from ..check import ASVS, NIST, SMCS, Finding, check, failed, judged, mask, needs, not_applicable, passed
from ..http import SetCookie
from ..subject import Subject

COOKIE_BYTES = 4096
# Session cookies that name the framework that set them: OWASP Cookies Database.
_FRAMEWORKS = {
    "sessionid": "Django",
    "connect.sid": "Express",
    "phpsessid": "PHP",
    "jsessionid": "Jakarta Servlet",
    "asp.net_sessionid": "ASP.NET",
    ".aspnetcore.session": "ASP.NET Core",
    "laravel_session": "Laravel",
    "ci_session": "CodeIgniter",
    "_rails_session": "Rails",
    "rack.session": "Rack",
    "cfid": "ColdFusion",
    "cftoken": "ColdFusion",
    "beaker.session.id": "Beaker",
    "session_id": "web2py or Odoo",
}
_PLAIN_HTTP = "the app was asked by plain HTTP, where no cookie can be Secure: give its https address"


def _flags(cookie: SetCookie) -> str:
    shown = {"samesite": "SameSite", "httponly": "HttpOnly", "max-age": "Max-Age"}
    parts = [cookie.name]
    for name, value in cookie.attributes.items():
        label = shown.get(name, name.capitalize())
        parts.append(f"{label}={value}" if value else label)
    return "; ".join(parts)


def _was_set(subject: Subject) -> SetCookie | None:
    """``None``: a sign-in sets no session cookie (it goes on with the one it had, a fault of its own)."""
    cookie = subject.first.cookie
    return cookie if cookie.attributes else None


def _by_plain_http(subject: Subject, cookie: SetCookie) -> bool:
    return not subject.http.secure and "secure" not in cookie.attributes


@check(
    "ASVS-3.3.1",
    "Cookie is Secure, its name has a prefix that browsers hold to it",
    source=ASVS.format("3.3.1") + "; " + NIST.format("5.1.1 (1)"),
    advice="Set Secure, and name the cookie __Host-… (or __Secure-… where it must be shared).",
)
def secure(subject: Subject) -> Finding:
    cookie = subject.first.cookie
    if _by_plain_http(subject, cookie):
        return needs(_PLAIN_HTTP)
    prefixed = cookie.name.startswith(("__Host-", "__Secure-"))
    return judged("secure" in cookie.attributes and prefixed, _flags(cookie))


@check(
    "ASVS-3.3.2",
    "SameSite is set to Lax or Strict",
    source=ASVS.format("3.3.2") + "; " + NIST.format("5.1.1 (6)"),
    advice="Set SameSite=Lax; browsers differ in what they assume without it.",
)
def same_site(subject: Subject) -> Finding:
    cookie = subject.first.cookie
    return judged(cookie.attributes.get("samesite", "").lower() in ("lax", "strict"), _flags(cookie))


@check(
    "ASVS-3.3.3",
    "Cookie has the __Host- prefix: Secure, Path=/, no Domain",
    source=ASVS.format("3.3.3") + "; " + NIST.format("5.1.1 (5)"),
    advice="Name the cookie __Host-…: no sibling host can then set or replace it.",
)
def host_prefix(subject: Subject) -> Finding:
    cookie = subject.first.cookie
    if _by_plain_http(subject, cookie):
        return needs(_PLAIN_HTTP)
    held = "domain" not in cookie.attributes and cookie.attributes.get("path") == "/"
    return judged(cookie.name.startswith("__Host-") and held, _flags(cookie))


@check(
    "ASVS-3.3.4a",
    "Scripts cannot read the cookie: HttpOnly",
    source=ASVS.format("3.3.4") + "; " + NIST.format("5.1.1 (3)"),
    advice="Set HttpOnly.",
)
def http_only(subject: Subject) -> Finding:
    cookie = subject.first.cookie
    return judged("httponly" in cookie.attributes, _flags(cookie))


@check(
    "ASVS-3.3.4b",
    "The token reaches the browser by Set-Cookie alone, in no body or other header",
    source=ASVS.format("3.3.4") + "; " + ASVS.format("14.2.1"),
    advice="Take the token out of the page, the JSON or the redirect: a script or a log can read it there.",
)
def only_by_cookie(subject: Subject) -> Finding:
    signed_in, looked = subject.first, 0
    token = signed_in.cookie.value
    pages = [("the answer to the sign-in", signed_in.answer)]
    pages += [(path, signed_in.browser.copy().ask("GET", path)) for path in subject.app.protected]
    for where, answer in pages:
        looked += 1
        headers = [value for name, value in answer.headers if name.lower() != "set-cookie"]
        if token in answer.text or any(token in value for value in headers):
            return failed(f"{mask(token)} stands in {where}")
    return passed(f"in none of {looked} answers")


@check(
    "ASVS-3.3.5",
    "Name and value are at most 4,096 bytes together",
    source=ASVS.format("3.3.5"),
    advice="Keep the session on the server; a browser drops a larger cookie.",
)
def small_enough(subject: Subject) -> Finding:
    cookie = subject.first.cookie
    count = len(cookie.name.encode()) + len(cookie.value.encode())
    return judged(count <= COOKIE_BYTES, f"{count} bytes")


@check(
    "NIST-5.1.1-2",
    "The cookie goes to this host alone: no Domain attribute",
    source=NIST.format("5.1.1 (2)") + "; " + SMCS.format("Domain and Path Attributes"),
    advice="Leave Domain out.",
)
def this_host_alone(subject: Subject) -> Finding:
    cookie = subject.first.cookie
    return judged("domain" not in cookie.attributes, _flags(cookie))


@check(
    "NIST-5.1",
    "The cookie of a signed-in session does not outlive the browser",
    source=NIST.format("5.1") + "; " + SMCS.format("Expire and Max-Age Attributes"),
    advice="Set neither Max-Age nor Expires, but where the user chose “remember me”.",
)
def not_persistent(subject: Subject) -> Finding:
    cookie = _was_set(subject)
    if cookie is None:
        return not_applicable("a sign-in sets no cookie")
    return judged(not {"max-age", "expires"} & cookie.attributes.keys(), _flags(cookie))


@check(
    "NIST-5.1.1-7",
    "The token is an opaque string: nothing can be read from it",
    source=NIST.format("5.1.1 (7)") + "; " + SMCS.format("Session ID Content (or Value)"),
    advice="Keep the content on the server and give the browser a random token.",
)
def opaque(subject: Subject) -> Finding:
    token = subject.first.cookie.value
    for part in (token, *re.split(r"[.:|-]", token)):
        text = _decoded(part)
        if subject.username and (subject.username in part or subject.username in text):
            return failed(f"the user name stands in {mask(token)}")
        if re.match(r'\s*[{\[]\s*["\d{\[]', text):
            return failed(f"{mask(token)} decodes to JSON")
    return passed(f"{mask(token)}, {len(token)} characters, decodes to no text")


def _decoded(part: str) -> str:
    """What base64 makes of it; empty where it is none."""
    if len(part) < 8 or not re.fullmatch(r"[A-Za-z0-9_+/=-]+", part):
        return ""
    try:
        data = base64.urlsafe_b64decode(part.replace("+", "-").replace("/", "_") + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        return ""
    return data.decode("latin-1")


@check(
    "SMCS-name",
    "The cookie's name tells no framework",
    source=SMCS.format("Session ID Name Fingerprinting"),
    advice="Rename it to something general, such as __Host-session.",
)
def tells_no_framework(subject: Subject) -> Finding:
    name = subject.first.cookie.name
    framework = _FRAMEWORKS.get(name.removeprefix("__Host-").removeprefix("__Secure-").lower())
    return failed(f"{name}: {framework}") if framework else passed(name)


CHECKS = (
    secure,
    same_site,
    host_prefix,
    http_only,
    only_by_cookie,
    small_enough,
    this_host_alone,
    not_persistent,
    opaque,
    tells_no_framework,
)
