"""The OpenAPI document: what every operation shares is said once, here. Views say what is their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from chassis.problems import CONTENT_TYPE
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from users.sessions.authentication import SAFE_METHODS, is_public
from users.sessions.serializers import END_REASON_CHOICES

SerializerClass = type[serializers.BaseSerializer[Any]]
Method = TypeVar("Method", bound=Callable[..., Any])

INVALID = "A field is missing or wrong."
NOT_SIGNED_IN = "Not signed in. `end_reason` says why a session that the request named has ended."
NO_CSRF = "CSRF token missing or wrong."
TOO_LARGE = "The body is larger than the limit."
UNAVAILABLE = (
    "The session store, or another part this needs, gave no answer. Nothing was changed, the cookie stays."
)


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457 problem details."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(required=False)
    instance = serializers.CharField(required=False)
    errors = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Faults by field name.",
    )
    end_reason = serializers.ChoiceField(choices=END_REASON_CHOICES, required=False)


@dataclass(frozen=True)
class Answer:
    """``sets_cookie``, ``retries``: it has the header."""

    serializer: SerializerClass | None
    description: str
    sets_cookie: bool = False
    retries: bool = False


def problem(description: str, *, retries: bool = False) -> Answer:
    return Answer(ProblemSerializer, description, retries=retries)


def operation(
    name: str,
    tag: str,
    summary: str,
    *,
    answers: Mapping[int, Answer],
    request: SerializerClass | None = None,
    parameters: Sequence[OpenApiParameter] = (),
) -> Callable[[Method], Method]:
    """Document a view's method: what it says of itself, and what every such method shares. Put it above ``public``."""

    def decorate(method: Method) -> Method:
        unsafe = method.__name__.upper() not in SAFE_METHODS
        all_answers = _shared(unsafe=unsafe, public=is_public(method), has_body=request is not None) | dict(
            answers
        )
        method.kwargs = {"schema": Schema}  # type: ignore[attr-defined]  # what extend_schema builds on
        document = extend_schema(
            operation_id=name,
            tags=[tag],
            summary=summary,
            request=request,
            responses={
                (code, CONTENT_TYPE) if given.serializer is ProblemSerializer else code: OpenApiResponse(
                    given.serializer, given.description
                )
                for code, given in sorted(all_answers.items())
            },
            parameters=[*parameters, *_headers(all_answers), *([_CSRF_HEADER] if unsafe else [])],
            auth=[] if is_public(method) else [{"session": []}],  # type: ignore[list-item]
        )
        return document(method)

    return decorate


def _shared(*, unsafe: bool, public: bool, has_body: bool) -> dict[int, Answer]:
    shared = {503: problem(UNAVAILABLE, retries=True)}
    if not public:
        shared[401] = problem(NOT_SIGNED_IN)
    if unsafe:
        shared[403] = problem(NO_CSRF)
    if has_body:
        shared |= {400: problem(INVALID), 413: problem(TOO_LARGE)}
    return shared


def _headers(answers: Mapping[int, Answer]) -> list[OpenApiParameter]:
    retries = [code for code, given in answers.items() if given.retries]
    sets_cookie = [code for code, given in answers.items() if given.sets_cookie]
    headers = [
        OpenApiParameter(
            "Retry-After",
            {"type": "integer", "minimum": 0},
            OpenApiParameter.HEADER,
            description="Seconds to wait.",
            response=retries,
        )
    ]
    if sets_cookie:
        headers.append(
            OpenApiParameter(
                "Set-Cookie",
                OpenApiTypes.STR,
                OpenApiParameter.HEADER,
                description="The session cookie.",
                response=sets_cookie,
            )
        )
    return headers


_CSRF_HEADER = OpenApiParameter(
    "X-CSRF-Token",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    required=True,
    description="From GET /api/users/csrf or sessions/current.",
)


class Schema(AutoSchema):
    """Without docstrings: they are for those who change the code."""

    def get_description(self) -> str:
        return ""
