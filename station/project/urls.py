"""Where every address leads."""

from django.contrib import admin
from django.urls import include, path

from station.project.health_view import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("", include("webui.urls")),
]

handler400 = "webui.errors.bad_request"
handler403 = "webui.errors.forbidden"
handler404 = "webui.errors.not_found"
handler500 = "webui.errors.server_error"
