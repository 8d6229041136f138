"""The page of long work: what one has ordered, how far it is, and the files."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from webui.accounts.guard import signed_in
from webui.work import keeping, kinds, orders, places
from webui.work.models import Job


@never_cache
@require_safe
@signed_in
def work(request: HttpRequest) -> HttpResponse:
    """All that is there, the newest first. An administrator sees everybody's."""
    jobs = [_shown(job) for job in _mine(request)]
    return render(request, "work/work.html", {"jobs": jobs, "everybody": request.user.is_superuser})


@never_cache
@require_safe
@signed_in
def job(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One job; for htmx the piece that follows it."""
    found = _one(request, pk)
    orders.remind(found)
    template = "work/_job.html" if request.htmx else "work/job.html"
    return render(request, template, {"job": _shown(found)})


@never_cache
@require_safe
@signed_in
def download(request: HttpRequest, pk: UUID) -> FileResponse:
    """The file; 404 where there is none (any more)."""
    found = _one(request, pk)
    try:
        file = places.result(found.pk).open("rb")
    except OSError as error:
        raise Http404 from error
    if found.status != Job.Status.DONE:
        file.close()
        raise Http404
    return FileResponse(file, as_attachment=True, filename=found.file, content_type=found.media_type)


@never_cache
@require_POST
@signed_in
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Stop it."""
    found = _one(request, pk)
    orders.cancel(found)
    if request.htmx:
        found.refresh_from_db()
        return render(request, "work/_job.html", {"job": _shown(found)})
    return redirect("work-job", pk=pk)


@never_cache
@require_POST
@signed_in
def again(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Order the same once more, after it failed or was canceled."""
    found = _one(request, pk)
    if kinds.known(found.kind) is None:
        raise Http404
    try:
        new = orders.order(request.user, found.kind, found.title, found.arguments)
    except orders.TooMany:
        return too_many(request)
    return redirect("work-job", pk=new.pk)


@never_cache
@require_POST
@signed_in
def remove(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take it off the list, and its file off the station; what is under way has to be canceled first."""
    found = _one(request, pk)
    if not found.is_over:
        return redirect("work-job", pk=pk)
    keeping.remove(found)
    messages.success(request, _("It was removed."))
    return redirect("work")


def too_many(request: HttpRequest) -> HttpResponse:
    """What a room answers to ``orders.TooMany``: the page of long work, which says so."""
    jobs = [_shown(job) for job in _mine(request)]
    return render(request, "work/work.html", {"jobs": jobs, "too_many": True}, status=409)


def _mine(request: HttpRequest) -> QuerySet[Job]:
    jobs = Job.objects.all()
    return jobs if request.user.is_superuser else jobs.filter(user=request.user)


def _one(request: HttpRequest, pk: UUID) -> Job:
    found = _mine(request).filter(pk=pk).first()
    if found is None:
        raise Http404
    return orders.settled(found)


def _shown(job: Job) -> Job:
    """With what the template needs besides: how far it is, and whether it is being stopped."""
    orders.settled(job)
    done, total = places.progress(job.pk) if job.status == Job.Status.RUNNING else (0, 0)
    shown: Any = job
    shown.done, shown.total = done, total
    shown.percent = min(99, 100 * done // total) if total > 0 else None
    shown.stopping = not job.is_over and places.canceled(job.pk)
    kind = kinds.known(job.kind)
    shown.back = kind.back if kind else "work"
    shown.can_again = kind is not None
    return job
