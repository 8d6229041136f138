"""Addresses of long work, included under ``work/``."""

from django.urls import path

from webui.lazily import lazily

urlpatterns = [
    path("", lazily("work.work"), name="work"),
    path("<uuid:pk>/", lazily("work.job"), name="work-job"),
    path("<uuid:pk>/file/", lazily("work.download"), name="work-file"),
    path("<uuid:pk>/cancel/", lazily("work.cancel"), name="work-cancel"),
    path("<uuid:pk>/again/", lazily("work.again"), name="work-again"),
    path("<uuid:pk>/remove/", lazily("work.remove"), name="work-remove"),
]
