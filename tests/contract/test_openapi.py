"""What the OpenAPI documents say is what the services do: generated requests, as a signed-in user, through the edge."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks

from tests.person import UNSAFE, Person

load_all_checks()
FOLDER = Path(__file__).parent
EXCLUDED = {
    # Our own cookie is in each request, so taking credentials away proves nothing; tests/integration asks without.
    "ignored_auth",
    # It asks for 2xx for every valid body: a taken name, a wrong password and a cart that differs are valid and refused.
    "positive_data_acceptance",
    # A method without a route is 405 in Flask and 403 in Django, whose CSRF check of unsafe methods comes first.
    "unsupported_method",
    "allow_header_conformance",
    # Needs pairs of users and of requests that share a resource: tests/integration has them by name.
    "object_level_authorization",
    "use_after_free",
    "ensure_resource_availability",
}
CHECKED = [check for check in CHECKS.get_all() if check.__name__ not in EXCLUDED]


def load(name: str) -> schemathesis.BaseSchema:
    """The document without credentials: those are ours in each request, so leaving them out would prove nothing."""
    document = json.loads((FOLDER / f"{name}.openapi.json").read_text())
    del document["components"]["securitySchemes"]
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                operation.pop("security", None)
                parameters = operation.get("parameters", [])
                operation["parameters"] = [p for p in parameters if p.get("name") != "X-CSRF-Token"]
    return schemathesis.openapi.from_dict(document)


users, orders = load("users"), load("orders")


class SignedIn:
    """A person who signs in again when a case ended the session, and anew when it changed the password."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.person = Person(origin).sign_up().sign_in()

    def headers(self, method: str) -> dict[str, str]:
        if self._get("/api/users/me").status_code == 401:
            self.person = Person(self.origin).sign_up().sign_in()
        cookies = "; ".join(f"{c.name}={c.value}" for c in self.person.http.cookies.jar)
        headers = {"Cookie": cookies}
        if method in UNSAFE:
            headers["X-CSRF-Token"] = self._get("/api/users/csrf").json()["csrf_token"]
        return headers

    def _get(self, path: str) -> httpx.Response:
        """Asked again while the store of a busy machine gives no answer in time: 503 is for the cases to judge."""
        deadline = time.monotonic() + 60
        while (answer := self.person.http.get(path)).status_code == 503 and time.monotonic() < deadline:
            time.sleep(0.2)
        return answer


@pytest.fixture(scope="module")
def signed_in(edge_url: str) -> SignedIn:
    return SignedIn(edge_url)


EFFORT = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


def judge(case: schemathesis.Case, signed_in: SignedIn) -> None:
    response = case.call(base_url=signed_in.origin, headers=signed_in.headers(case.method.upper()))
    case.validate_response(response, checks=CHECKED)


@users.parametrize()
@EFFORT
def test_the_users_service_does_what_its_document_says(case: schemathesis.Case, signed_in: SignedIn):
    judge(case, signed_in)


@orders.parametrize()
@EFFORT
def test_the_orders_service_does_what_its_document_says(case: schemathesis.Case, signed_in: SignedIn):
    judge(case, signed_in)
