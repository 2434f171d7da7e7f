"""flask-smorest, told our rules once: faults are problems, and what is enforced everywhere is documented everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, Protocol, TypeVar, cast

import flask_smorest  # type: ignore[import-untyped]
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Flask
from marshmallow import fields
from polysession.contrib import flask as polysession_flask
from polysession.core.record import END_REASONS
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter
from werkzeug.wrappers import Response

from orders import problems
from orders.schema import Schema

View = TypeVar("View", bound=Callable[..., Any])


class Decorator(Protocol):
    def __call__(self, view: View, /) -> View: ...


TITLE = "Polysession orders"
VERSION = "0.1.0"
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
RETRY_AFTER = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}
}
CSRF_PARAMETER = {
    "name": polysession_flask.CSRF_HEADER,
    "in": "header",
    "required": True,
    "schema": {"type": "string"},
    "description": "From GET /api/users/csrf or sessions/current.",
}


class SKUConverter(BaseConverter):
    """A path with anything else is 404, before a view or the database sees it."""

    regex = "[a-z0-9-]{1,64}"
    part_isolating = True


class EndReason(fields.String):
    """Documented as a reference to the schema of that name, as in the users service."""


class ProblemSchema(Schema):
    """Documents ``chassis.problems``; never used to make one."""

    class Meta(Schema.Meta):
        description = "RFC 9457 problem details."

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String()
    instance = fields.String()
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "Faults by field name."},
    )
    end_reason = EndReason()


class Parser(FlaskParser):
    """Faults of a request are 400: 422 is kept for an Idempotency-Key that was used with another body."""

    DEFAULT_VALIDATION_STATUS = 400

    def load_json(self, *arguments: Any) -> Any:
        """A body that nests deeper than Python follows is the client's fault, too."""
        try:
            return super().load_json(*arguments)
        except RecursionError:
            self._handle_invalid_json_error()

    def _handle_invalid_json_error(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise problems.Refusal(400, "The body is not JSON. Send application/json in UTF-8.")


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # untyped
    ARGUMENTS_PARSER = Parser()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepare_doc_cbks.append(self._document_rules)

    # flask-smorest's decorators, which have no types: none changes what mypy should know of a view.

    def route(self, rule: str, **options: Any) -> Decorator:
        return cast(Decorator, super().route(rule, **options))

    def operation(self, name: str) -> Decorator:
        """Its ``operationId``: what clients that are generated call it."""
        return cast(Decorator, self.doc(operationId=name))

    def arguments(self, schema: type[Schema], **options: Any) -> Decorator:
        return cast(Decorator, super().arguments(schema, **options))

    def response(self, status: int, schema: type[Schema], **options: Any) -> Decorator:
        return cast(Decorator, super().response(status, schema, **options))

    def refusal(self, status: int, description: str) -> Decorator:
        """Documents a problem that the view answers with."""
        return cast(Decorator, self.doc(responses={str(status): _refused(description)}))

    def answer_to(self, error: type[Exception]) -> Decorator:
        """The function that makes the answer to an error of a view."""
        return cast(Decorator, self.errorhandler(error))

    @staticmethod
    def _document_rules(
        doc: dict[str, Any], doc_info: dict[str, Any], *, method: str, **_context: Any
    ) -> dict[str, Any]:
        """What every operation shares, as it is enforced: once, in front of the views."""
        responses = doc.setdefault("responses", {})
        if "arguments" in doc_info:
            responses[400] = _refused("A field is missing or wrong.")
        if doc_info.get("sign_in_required"):
            doc["security"] = [{"session": []}]
            responses[401] = _refused(
                "Not signed in. `end_reason` says why a session that the request named has ended."
            )
        if method.upper() not in polysession_flask.SAFE_METHODS:
            doc.setdefault("parameters", []).insert(0, CSRF_PARAMETER)
            responses[403] = _refused("CSRF token missing or wrong.")
        if "requestBody" in doc:
            responses[413] = _refused("The body is larger than the limit.")
        responses[503] = {
            **_refused(
                "The session store, or another part this needs, gave no answer. "
                "Nothing was changed, the cookie stays."
            ),
            "headers": RETRY_AFTER,
        }
        return doc


def sign_in_required(view: View) -> View:
    """``contrib.flask.sign_in_required``, and documented."""
    polysession_flask.sign_in_required(view)
    view._apidoc = {**getattr(view, "_apidoc", {}), "sign_in_required": True}  # type: ignore[attr-defined]
    return view


class Converter(OpenAPIConverter):
    def field2property(self, field: fields.Field[Any]) -> dict[str, Any]:
        if isinstance(field, EndReason):
            return {"$ref": "#/components/schemas/EndReason"}
        described: dict[str, Any] = super().field2property(field)
        return described


class Plugin(MarshmallowPlugin):
    Converter = Converter


class Api(flask_smorest.Api):  # type: ignore[misc]  # untyped
    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = ""  # each operation names its refusals

    def _register_pagination_header(self) -> None:
        """Nothing here is paged; its schema would stand in the document all the same."""

    def handle_http_exception(self, error: HTTPException) -> HTTPException | Response:
        return problems.answer_http_exception(error)


def register(app: Flask) -> Api:
    """The API without its blueprints. Needs no configuration, so that the document can be made without any."""
    app.url_map.converters["sku"] = SKUConverter
    app.config.update(
        API_TITLE=TITLE,
        API_VERSION=VERSION,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api/orders",
        API_SPEC_OPTIONS={"info": {"description": "Catalogue, cart, checkout."}},
    )
    api = Api(app, spec_kwargs={"marshmallow_plugin": Plugin()})
    api.register_converter(SKUConverter, lambda _: {"type": "string", "pattern": f"^{SKUConverter.regex}$"})
    components = api.spec.components
    components.schema("EndReason", {"type": "string", "enum": list(END_REASONS)})
    components.security_scheme(
        "session",
        {
            "type": "apiKey",
            "in": "cookie",
            "name": "__Host-session",
            "description": "`session` on plain-HTTP loopback.",
        },
    )
    return api


def _refused(description: str) -> dict[str, Any]:
    return {"description": description, "content": PROBLEM}
