import json

from chassis.problems import problem, wsgi_problem


def test_a_problem_has_the_status_own_phrase_and_only_what_is_known() -> None:
    assert problem(401, "Sign in.", end_reason="idle") == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "Sign in.",
        "end_reason": "idle",
    }


def test_faults_are_listed_by_field() -> None:
    assert problem(400, errors={"email": ("Write an address.",)})["errors"] == {
        "email": ["Write an address."]
    }


def test_a_status_that_nobody_registered_still_has_a_title() -> None:
    assert problem(599)["title"] == "Error"


def test_a_wsgi_problem_is_never_cached_and_says_what_it_is() -> None:
    started: list[tuple[str, dict[str, str]]] = []
    body = wsgi_problem(
        lambda status, headers, *_: started.append((status, dict(headers))),  # type: ignore[arg-type]
        503,
        "Try again.",
        headers=[("Retry-After", "2")],
    )
    status, headers = started[0]
    assert status == "503 Service Unavailable"
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Retry-After"] == "2"
    assert json.loads(b"".join(body))["detail"] == "Try again."
