"""The app under audit: how it is signed in to and out of, and what the checks share so that each asks little."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ...core.errors import PolysessionError
from .app import Action, App
from .http import UNSAFE, Answer, Browser, Http, SetCookie

SAMPLES = 8  # sign-ins whose tokens are compared


class CannotSignIn(PolysessionError):
    """Nothing can be checked."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in: the browser after it, the answer to it, and the session cookie as it was set."""

    browser: Browser
    answer: Answer
    cookie: SetCookie


@dataclass
class Subject:
    """``password`` may change while an audit runs, and is back at its end. ``tokens``: all that were seen."""

    app: App
    http: Http
    username: str
    password: str = field(repr=False)
    wait: float = 0.0
    tokens: set[str] = field(default_factory=set, repr=False)
    _signed_in: list[Browser] = field(default_factory=list, repr=False)

    # --- one session

    @cached_property
    def first(self) -> SignIn:
        """A sign-in for checks that only look."""
        return self.sign_in()

    @cached_property
    def cookie_name(self) -> str:
        """Of the session cookie: as described, or the one without which the first sign-in is none."""
        if self.app.cookie:
            return self.app.cookie
        browser, answer = self._sign_in(Browser(self.http))
        names = [cookie.name for cookie in answer.cookies if not cookie.clears]
        for name in dict.fromkeys((*names, *browser.cookies)):
            others = Browser(self.http, {key: value for key, value in browser.cookies.items() if key != name})
            if not self.is_signed_in(others):
                return name
        raise CannotSignIn(
            "no cookie makes the difference between signed in and not: is it a cookie session?"
        )

    def sign_in(self, browser: Browser | None = None) -> SignIn:
        """Raises ``CannotSignIn``."""
        name = self.cookie_name
        browser, answer = self._sign_in(browser or Browser(self.http))
        cookie = next((one for one in answer.cookies if one.name == name and not one.clears), None)
        if cookie is None:  # no new one: what it has goes on
            cookie = SetCookie(name, browser.cookies.get(name, ""), {})
        self.tokens.add(cookie.value)
        self._signed_in.append(browser)
        return SignIn(browser, answer, cookie)

    def _sign_in(self, browser: Browser) -> tuple[Browser, Answer]:
        answer = self.act(browser, self.app.sign_in, username=self.username, password=self.password)
        if not self.is_signed_in(browser):
            raise CannotSignIn(
                f"sign-in was answered {answer.status}, and {self.app.protected[0]} does not open after it: check "
                "sign_in, csrf, protected, user name and password"
            )
        return browser, answer

    def token(self, browser: Browser) -> str:
        value = browser.cookies.get(self.cookie_name, "")
        if value:
            self.tokens.add(value)
        return value

    def with_token(self, token: str) -> Browser:
        """Another browser that holds nothing but this token."""
        return Browser(self.http, {self.cookie_name: token})

    def is_signed_in(self, browser: Browser) -> bool:
        """All protected pages open. Asked by a copy: the browser's cookies stay as they are."""
        return all(self.opens(browser.copy().ask("GET", path)) for path in self.app.protected)

    def opens_anything(self, token: str) -> bool:
        """A token that should open nothing: some protected page opens with it."""
        return any(self.opens(self.with_token(token).ask("GET", path)) for path in self.app.protected)

    def opens(self, answer: Answer) -> bool:
        """The answer of a protected page to somebody who is signed in."""
        return answer.ok and self.app.marker in answer.text

    def check_door(self) -> None:
        """Raises ``CannotSignIn`` where a protected page opens to nobody in particular: no check would mean anything."""
        for path in self.app.protected:
            if self.opens(Browser(self.http).ask("GET", path)):
                raise CannotSignIn(
                    f"{path} opens without a sign-in: name another page, or in `marker` a text that it has only then"
                )

    def leave(self) -> None:
        """Ends the sessions that the audit began, as far as the app lets it."""
        try:
            if self.app.end_all is not None:
                self.act(self.sign_in().browser, self.app.end_all)
            elif self.app.sign_out is not None:
                for browser in self._signed_in:
                    self.act(browser, self.app.sign_out)
        except PolysessionError:
            return  # it does not answer any more: its own timeouts end them

    # --- requests

    def act(self, browser: Browser, action: Action, **given: str) -> Answer:
        """With the anti-forgery token that a page of the app would send."""
        headers, fields = self._forgery_token(browser) if action.method in UNSAFE else ({}, {})
        path, body, kind = action.fill(given, fields)
        return browser.ask(action.method, path, headers=headers, body=body, content_type=kind)

    def forged(self, browser: Browser, action: Action, **given: str) -> Answer:
        """As another site's page would send it: no anti-forgery token, its own origin (Fetch, section 3.2)."""
        path, body, kind = action.fill(given, {})
        headers = {
            "Origin": "https://attacker.example",
            "Referer": "https://attacker.example/",
            "Sec-Fetch-Site": "cross-site",
        }
        return browser.copy().ask(action.method, path, headers=headers, body=body, content_type=kind)

    def _forgery_token(self, browser: Browser) -> tuple[dict[str, str | bytes], dict[str, str]]:
        csrf = self.app.csrf
        if csrf is None:
            return {}, {}
        answer = browser.ask("GET", csrf.page)
        way, _, name = csrf.take.partition(":")
        value = _take(way, name, answer, browser)
        where, _, target = csrf.give.partition(":")
        return ({target: value}, {}) if where == "header" else ({}, {target: value})

    def write(self, browser: Browser, name: str, value: str = "1") -> Answer:
        assert self.app.write is not None
        return self.act(browser, self.app.write, name=name, value=value)

    def written(self, browser: Browser) -> str:
        return browser.copy().ask("GET", self.app.read).text

    def names(self) -> tuple[str, ...]:
        return self.app.write.names if self.app.write else ()

    # --- tokens

    @cached_property
    def sample(self) -> tuple[str, ...]:
        return tuple(self.sign_in().cookie.value for _ in range(SAMPLES))

    def made_up(self) -> str:
        """A token that the app never gave, of the length and the characters of those it gives."""
        token = self.first.cookie.value
        alphabet = sorted(set(token) - set(".:=")) or ["a"]
        made = [one if one in ".:=" else secrets.choice(alphabet) for one in token]
        return "".join(made)

    def session_id(self, browser: Browser) -> str:
        """As the app names the session in its traces; empty where the description does not say."""
        page, _, name = self.app.session_id.rpartition(":")
        return _take("json", name, browser.copy().ask("GET", page), browser) if page else ""


def _take(way: str, name: str, answer: Answer, browser: Browser) -> str:
    if way == "cookie":
        return browser.cookies.get(name, "")
    if way == "json":
        try:
            content: Any = json.loads(answer.body)
        except ValueError:
            return ""
        return str(content.get(name, "")) if isinstance(content, dict) else ""
    for tag in re.findall(r"<input[^>]*>", answer.text):
        if re.search(rf"""name=["']{re.escape(name)}["']""", tag):
            value = re.search(r"""value=["']([^"']*)["']""", tag)
            return value[1] if value else ""
    return ""
