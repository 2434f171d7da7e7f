"""Every path of the service, but for ``/livez``, ``/readyz`` and ``/metrics``: those stand in front of Django."""

from django.contrib import admin
from django.urls import path

from users.accounts.views import Accounts, Me, Password
from users.internal.views import restore_session, show_user
from users.sessions.views import Csrf, CurrentSession, OneSession, Sessions
from users.views import Document

urlpatterns = [
    path("api/users/accounts", Accounts.as_view()),
    path("api/users/me", Me.as_view()),
    path("api/users/me/password", Password.as_view()),
    path("api/users/sessions", Sessions.as_view()),
    path("api/users/sessions/current", CurrentSession.as_view()),
    path("api/users/sessions/<str:id>", OneSession.as_view()),
    path("api/users/csrf", Csrf.as_view()),
    path("api/users/openapi.json", Document.as_view()),
    path("api/users/admin/", admin.site.urls),
    path("internal/users/<str:id>", show_user),
    path("internal/sessions/<str:id>/restore", restore_session),
]

handler400 = "users.problems.answer_bad_request"
handler403 = "users.problems.answer_forbidden"
handler404 = "users.problems.answer_not_found"
handler500 = "users.problems.answer_server_error"
