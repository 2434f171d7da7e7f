"""What every view of the API is, and the view of its document."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import JsonResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from users.sessions.authentication import SessionAuthentication, public


class View(APIView):
    """Closed unless a method is marked ``public``."""

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
