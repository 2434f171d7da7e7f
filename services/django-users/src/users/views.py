"""What every view of the API is, and the view of its document."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import JsonResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from users.sessions.authentication import SessionAuthentication, public


class AlwaysJSON(DefaultContentNegotiation):
    """RFC 9110, 12.5.1: what a client would rather have may be disregarded. A page navigation gets JSON, not 406."""

    def select_renderer(
        self, _request: Request, renderers: Any, _format_suffix: str | None = None
    ) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type


class View(APIView):
    """Closed unless a method is marked ``public``."""

    content_negotiation_class = AlwaysJSON
    # Here and not in REST_FRAMEWORK, which would import it while APIView is being made.
    authentication_classes = [SessionAuthentication]
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]


class Document(View):
    @extend_schema(exclude=True)
    @public
    def get(self, _request: Request) -> JsonResponse:
        return JsonResponse(make_document())


@cache
def make_document() -> dict[str, Any]:
    """Made once a process: it is the same for everybody."""
    return dict(SchemaGenerator().get_schema(request=None, public=True))
