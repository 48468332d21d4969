"""`tap replay --cluster` over a real scheduler and real worker processes: the same answer."""

import shutil
import signal
import threading
from pathlib import Path

import pytest
from tests.dask_cluster import DaskCluster, free_port, wait_for
from tests.made_shoot import make

from tap.archive.cluster import Cluster, Tally, work_through
from tap.archive.course import Cutting
from tap.archive.identity import How, answering
from tap.archive.jobs import JobTable, State
from tap.archive.run import begin
from tap.clock import SystemClock
from tap.errors import FeedError
from tap.witness.replay import replay

CUT = Cutting(from_ms=0, every_ms=4000)
DEMO = Path(__file__).parents[2] / "sample_media" / "demo"


def run(address, out, shoots, cutting=CUT, patience_s=60.0) -> tuple[Tally, JobTable]:
    table = begin(out, [str(shoot) for shoot in shoots], How(), SystemClock())
    cluster = Cluster(address, out, How(), cutting, patience_s)
    program = answering(How())
    tally = work_through(cluster, table, program, look=lambda _: None, told=threading.Event())
    return tally, table


def witnessed(out):
    return {file.parent.name: file.read_bytes() for file in out.glob("shoots/*/witness.json")}


@pytest.fixture
def said(tmp_path):
    """What one machine says of a shoot in one piece."""

    def of(shoot):
        replay(shoot, tmp_path / "alone")
        return (tmp_path / "alone" / "witness.json").read_bytes()

    return of


def test_two_workers_say_the_same_byte_for_byte(tmp_path, said):
    shoot = make(tmp_path / "shoots" / "made")
    (tmp_path / "shoots" / "bad").mkdir()
    (tmp_path / "shoots" / "bad" / "shoot.json").write_text("{}")
    out = tmp_path / "archive"
    with DaskCluster(tmp_path, workers=2) as dask:
        shoots = [tmp_path / "shoots", f"file://{tmp_path}/shoots/made"]
        tally, table = run(dask.address, out, shoots)
        jobs = {job.place: job for job in table.jobs()}
        table.close()
    assert {job.state for job in jobs.values() if job.name != "bad"} == {State.DONE}
    assert jobs[str(tmp_path / "shoots" / "bad")].exit_code == 2
    assert set(witnessed(out).values()) == {said(shoot)}
    assert len(witnessed(out)) == 2
    assert (tally.pieces, tally.unfit, tally.connections) == (22, 0, 1)
    assert len(tally.workers) == 2
    assert not (out / "work").exists()


def test_an_address_where_nobody_answers(tmp_path, monkeypatch):
    monkeypatch.setattr("tap.archive.cluster._CONNECT_S", 0.5)
    make(tmp_path / "made")
    with pytest.raises(FeedError, match="expected a Dask scheduler"):
        run(f"tcp://127.0.0.1:{free_port()}", tmp_path / "archive", [tmp_path / "made"])


def test_a_scheduler_without_workers(tmp_path):
    make(tmp_path / "made")
    with DaskCluster(tmp_path, workers=0) as dask, pytest.raises(FeedError, match="has none"):
        run(dask.address, tmp_path / "archive", [tmp_path / "made"], patience_s=1.0)


# ---------------------------------------------------------------- slow: 45 s of H.264, five feeds


@pytest.fixture
def demo(tmp_path):
    shoots = tmp_path / "shoots"
    for name in ("one", "two"):
        shutil.copytree(DEMO, shoots / name)
    return shoots


def under_way(out):
    """Some pieces are decoded, and not all."""
    return len(list(out.glob("work/decoded/*/*/*.json"))) >= 6


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("workers", [2, 4])
def test_long_shoots_in_pieces(tmp_path, demo, said, workers):
    out = tmp_path / "archive"
    with DaskCluster(tmp_path, workers) as dask:
        tally, table = run(dask.address, out, [demo])
        table.close()
    assert witnessed(out) == dict.fromkeys(("one", "two"), said(DEMO))
    assert (tally.pieces, tally.unfit, len(tally.workers)) == (96, 0, workers)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("what", ["worker", "all workers", "scheduler"])
def test_killed_in_the_middle(tmp_path, demo, said, what):
    out = tmp_path / "archive"
    found: list[Tally] = []
    with DaskCluster(tmp_path, workers=2) as dask:

        def work():
            tally, table = run(dask.address, out, [demo])
            assert all(job.state is State.DONE for job in table.jobs())
            table.close()
            found.append(tally)

        thread = threading.Thread(target=work)
        thread.start()
        wait_for(lambda: under_way(out))
        assert not witnessed(out)
        if what == "scheduler":
            dask.kill_scheduler()
            dask.start()
        else:
            lost = dask.workers[:1] if what == "worker" else dask.workers[:]
            for number, worker in enumerate(lost):
                worker.send_signal(signal.SIGKILL)
                dask.add_worker(7 + number)
        thread.join(300)
        assert not thread.is_alive()
    (tally,) = found
    assert witnessed(out) == dict.fromkeys(("one", "two"), said(DEMO))
    assert tally.connections == (2 if what == "scheduler" else 1)
