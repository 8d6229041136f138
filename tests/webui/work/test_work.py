"""Long work: ordered, done by whoever holds the lock, followed, canceled, downloaded, cleaned up."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone, translation

from station.store import upkeep
from tests.webui.looking import look
from webui.work import doing, keeping, kinds, orders, places
from webui.work.doing import Refused, Work
from webui.work.models import Job

Maker = Callable[[Work], None]


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(orders, "nudge", lambda: True)


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch) -> Callable[[Maker], None]:
    """Sets what the kind "test" does."""
    module = types.ModuleType("made_for_tests")
    monkeypatch.setitem(sys.modules, "made_for_tests", module)
    monkeypatch.setattr(kinds, "_kinds", {"test": kinds.Kind("test", "made_for_tests.make")})

    def set_maker(make: Maker) -> None:
        module.make = make  # type: ignore[attr-defined]

    set_maker(simple)
    return set_maker


def simple(work: Work) -> None:
    work.tell(1, 2)
    work.path.write_bytes(json.dumps(work.arguments).encode())
    work.deliver("made.json", "application/json")


def order(person: User, number: int = 1) -> Job:
    return orders.order(person, "test", f"Work {number}", {"number": number})


def done(job: Job) -> Job:
    doing.work_off()
    job.refresh_from_db()
    return job


@pytest.mark.usefixtures("maker")
def test_from_the_order_to_the_file(person: User, browser: Client) -> None:
    job = order(person)
    waiting = browser.get(f"/work/{job.pk}/")
    assert 'hx-trigger="every 1s"' in waiting.content.decode()
    assert "Waiting" in look(waiting.content).words
    assert browser.get(f"/work/{job.pk}/file/").status_code == 404
    assert done(job).status == Job.Status.DONE
    page = browser.get(f"/work/{job.pk}/", headers={"HX-Request": "true"})
    assert b"<html" not in page.content
    assert b"hx-trigger" not in page.content
    assert "Ready" in look(page.content).words
    answer = browser.get(f"/work/{job.pk}/file/")
    assert answer["Content-Disposition"] == 'attachment; filename="made.json"'
    assert b"".join(answer.streaming_content) == b'{"number": 1}'
    assert "Work 1" in look(browser.get("/work/").content).words


@pytest.mark.usefixtures("maker")
def test_the_same_order_twice_is_one(person: User) -> None:
    assert order(person) == order(person)
    first = done(order(person))
    assert order(person) != first  # what is over is made anew


@pytest.mark.usefixtures("maker")
def test_nobody_orders_without_end(person: User, browser: Client) -> None:
    for number in range(orders.MOST_WAITING):
        order(person, number)
    with pytest.raises(orders.TooMany):
        order(person, 99)
    other = User.objects.create_user("otto")
    assert order(other, 99)
    failed = Job.objects.create(
        kind="test", user=person, who="olga", title="x", status="failed", created=timezone.now()
    )
    answer = browser.post(f"/work/{failed.pk}/again/")
    assert answer.status_code == 409
    assert "Several files are being made" in look(answer.content).words


def test_progress_is_seen_while_it_runs(person: User, browser: Client, maker: Any) -> None:
    seen: list[str] = []

    def make(work: Work) -> None:
        work.tell(30, 100)
        seen.append(look(browser.get(f"/work/{work.job.pk}/").content).words)
        simple(work)

    maker(make)
    done(order(person))
    assert "30 %" in seen[0]
    assert "Under way" in seen[0]


def test_a_cancel_stops_it_at_its_next_look(person: User, browser: Client, maker: Any) -> None:
    def make(work: Work) -> None:
        work.path.write_bytes(b"half")
        answer = browser.post(f"/work/{work.job.pk}/cancel/", headers={"HX-Request": "true"})
        assert "Being stopped" in look(answer.content).words
        work._looked = 0.0  # a look is due
        work.tell(1, 2)
        raise AssertionError("it went on")

    maker(make)
    job = done(order(person))
    assert job.status == Job.Status.CANCELED
    assert not places.result(job.pk).exists()
    again = browser.post(f"/work/{job.pk}/again/")
    assert again.status_code == 302
    assert Job.objects.filter(status=Job.Status.WAITING).count() == 1


@pytest.mark.usefixtures("maker")
def test_what_waits_is_canceled_at_once(person: User, browser: Client) -> None:
    job = order(person)
    assert browser.post(f"/work/{job.pk}/cancel/").status_code == 302
    assert done(job).status == Job.Status.CANCELED


def refuse(work: Work) -> None:
    raise Refused("Nothing to be made of this.")


def break_down(work: Work) -> None:
    raise ZeroDivisionError


def deliver_nothing(work: Work) -> None:
    work.path.write_bytes(b"")


def no_room(work: Work) -> None:
    raise OSError(28, "No space left on device")


def no_memory(work: Work) -> None:
    raise MemoryError


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (refuse, "Nothing to be made of this."),
        (break_down, "The station made a mistake."),
        (deliver_nothing, "The station made a mistake."),
        (no_room, "There is no room for it on the station."),
        (no_memory, "There is no room for it on the station."),
    ],
)
def test_what_fails_says_why_and_leaves_nothing(
    person: User, browser: Client, maker: Any, make: Maker, said: str
) -> None:
    maker(make)
    job = done(order(person))
    assert job.status == Job.Status.FAILED
    assert said in look(browser.get(f"/work/{job.pk}/").content).words
    assert not places.result(job.pk).parent.exists()
    # and the next one is done
    maker(simple)
    assert done(order(person, 2)).status == Job.Status.DONE


def test_a_file_that_grows_too_large_is_refused(person: User, maker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doing, "MOST_BYTES", 10)

    def make(work: Work) -> None:
        work.path.write_bytes(b"x" * 11)
        work.tell(1, 1)
        work.deliver("x", "text/plain")

    maker(make)
    job = done(order(person))
    assert (job.status, "too large" in job.message) == (Job.Status.FAILED, True)


@pytest.mark.usefixtures("maker")
def test_a_power_cut_leaves_nothing_running_for_ever(person: User, browser: Client) -> None:
    job = order(person)
    Job.objects.update(status=Job.Status.RUNNING)
    with places.working() as alone:  # somebody works at it
        assert alone
        assert "Under way" in look(browser.get(f"/work/{job.pk}/").content).words
    assert "It was interrupted" in look(browser.get(f"/work/{job.pk}/").content).words
    Job.objects.update(status=Job.Status.RUNNING)
    assert done(job).status == Job.Status.FAILED  # by the next who works


@pytest.mark.usefixtures("maker")
def test_only_one_process_works(person: User) -> None:
    job = order(person)
    with places.working():
        lock = places.working(patience=0)
        with lock as alone:
            assert not alone
        assert places.somebody_works()
    assert not places.somebody_works()
    assert done(job).status == Job.Status.DONE


@pytest.mark.usefixtures("maker")
def test_everybody_has_their_own(person: User, browser: Client) -> None:
    job = done(order(User.objects.create_user("otto")))
    for address in ("", "file/"):
        assert browser.get(f"/work/{job.pk}/{address}").status_code == 404
    for address in ("cancel/", "again/", "remove/"):
        assert browser.post(f"/work/{job.pk}/{address}").status_code == 404
    assert "Work 1" not in look(browser.get("/work/").content).words
    person.is_superuser = True
    person.save()
    assert browser.get(f"/work/{job.pk}/file/").status_code == 200
    assert "Work 1" in look(browser.get("/work/").content).words


def test_what_is_not_there(browser: Client) -> None:
    assert browser.get(f"/work/{uuid4()}/").status_code == 404
    assert browser.get("/work/nonsense/").status_code == 404
    assert Client().get("/work/").status_code == 302


@pytest.mark.usefixtures("maker")
def test_removing(person: User, browser: Client) -> None:
    job = order(person)
    browser.post(f"/work/{job.pk}/remove/")
    assert Job.objects.filter(pk=job.pk).exists()  # not while it is under way
    done(job)
    page = browser.post(f"/work/{job.pk}/remove/", follow=True)
    assert "It was removed." in look(page.content).words
    assert not places.result(job.pk).parent.exists()


@pytest.mark.usefixtures("maker")
def test_housekeeping_bounds_age_number_and_size(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [done(order(person, number)) for number in range(5)]
    open_ = order(person, 9)
    Job.objects.filter(pk=jobs[4].pk).update(finished=timezone.now() - keeping.KEPT_FOR - timedelta(minutes=1))
    upkeep.due.send(None)
    assert set(Job.objects.all()) == {*jobs[:4], open_}
    monkeypatch.setattr(keeping, "MOST_JOBS", 3)
    keeping.tidy()
    assert set(Job.objects.all()) == {*jobs[1:4], open_}
    monkeypatch.setattr(keeping, "MOST_BYTES", 2 * jobs[0].size)
    keeping.tidy()
    assert set(Job.objects.all()) == {*jobs[2:4], open_}
    Job.objects.filter(pk=jobs[2].pk).delete()
    keeping.tidy()
    left = {place.name for place in places.root().iterdir() if place.is_dir()}
    assert left == {str(jobs[3].pk)}


@pytest.mark.usefixtures("maker")
def test_it_is_made_in_the_language_of_whoever_ordered_it(person: User, maker: Any) -> None:
    spoken: list[str | None] = []
    maker(lambda work: (spoken.append(translation.get_language()), simple(work)))
    with translation.override("fr"):
        job = order(person)
    done(job)
    assert spoken == ["fr"]


def test_work_that_this_firmware_does_not_know(person: User, browser: Client) -> None:
    job = done(Job.objects.create(kind="gone", user=person, who="olga", title="<b>", created=timezone.now()))
    assert job.message == "This station does not know such work."
    page = look(browser.get(f"/work/{job.pk}/").content)
    assert "<b>" in page.words
    assert "Try again" not in page.words
    assert browser.post(f"/work/{job.pk}/again/").status_code == 404


@pytest.mark.usefixtures("maker")
def test_who_looks_reminds_the_worker(person: User, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    nudges: list[int] = []
    monkeypatch.setattr(orders, "nudge", lambda: nudges.append(1))
    job = order(person)
    browser.get(f"/work/{job.pk}/")
    assert len(nudges) == 1
    Job.objects.update(created=timezone.now() - timedelta(seconds=10))
    browser.get(f"/work/{job.pk}/")
    assert len(nudges) == 2
    with places.working():
        browser.get(f"/work/{job.pk}/")
    assert len(nudges) == 2
