"""Where every address leads."""

from django.urls import include, path, reverse_lazy
from django.views.generic import RedirectView

from station.project.health_view import healthz
from webui.accounts import tables

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    # one way in: it counts wrong passwords, and tells the station of every login
    path("admin/login/", RedirectView.as_view(url=reverse_lazy("login"), query_string=True)),
    tables.at("admin/"),
    path("", include("webui.urls")),
]

handler400 = "webui.errors.bad_request"
handler403 = "webui.errors.forbidden"
handler404 = "webui.errors.not_found"
handler500 = "webui.errors.server_error"
