"""Runs on Ray: the same records as the pool's, whatever machine is lost, and clear words where there is no Ray."""

import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import PATIENCE, TINY, Command
from interrupted import numbers

from reportgen import pipeline
from reportgen.errors import ReportgenError
from reportgen.executors.base import Begun, EpochDone, Event, Listen, RunDone, RunStarted, Task, carry_out_all
from reportgen.executors.factory import chosen
from reportgen.executors.pool import Pool
from reportgen.lab.record import Record, to_files
from reportgen.lab.training import checkpoints
from reportgen.planning import plan
from reportgen.storage.records import Store

chosen("ray", None)  # before Ray is imported, so that the clusters of these tests listen on 127.0.0.1 alone
import ray  # noqa: E402
from ray import cloudpickle  # noqa: E402
from ray.cluster_utils import Cluster as Machines  # noqa: E402

from reportgen.executors import cluster as connecting  # noqa: E402
from reportgen.executors.cluster import Cluster, check_files, train  # noqa: E402
from reportgen.storage.traces import named_files  # noqa: E402

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # no machine of the cluster has this file
MACHINE = {"num_cpus": 1, "object_store_memory": 80 << 20}
SHORT = TINY.read_text("utf-8")
LONG = SHORT.replace("epochs: 3,", "epochs: 120,").replace("training.epochs: [1]", "training.learning_rate: [0.1]")


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    """A Ray cluster of two machines with a CPU each; the first one has a GPU by name."""
    cluster = Machines(initialize_head=True, head_node_args={**MACHINE, "num_gpus": 1, "include_dashboard": False})
    cluster.add_node(**MACHINE)
    yield cluster
    cluster.shutdown()


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clusters of these tests are there: they are not tried by a process of its own, which takes seconds."""
    monkeypatch.setattr(connecting, "_fault", lambda _: "")


def tasks_of(text: str, folder: Path) -> list[Task]:
    """Return the runs of a suite whose records are to lie in `folder`."""
    suite = folder.parent / "suite.yaml"
    suite.write_text(text, "utf-8")
    return plan.tasks(pipeline.plan(pipeline.load(suite), Store(folder)))


def records(folder: Path) -> dict[str, dict[str, bytes]]:
    """Return the files of every record by key, but for what is measured in seconds."""
    store = Store(folder)
    found = {key: plan.read(store, key) for key in store.keys()}  # noqa: SIM118 - a Store is no dict
    return {key: numbers(record) for key, record in found.items() if record}


def told(events: Sequence[Event]) -> Counter[tuple[object, ...]]:
    """Return what events say, but for times."""
    return Counter(
        (type(event).__name__, *(value for name, value in vars(event).items() if name != "seconds"))
        for event in events
    )


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    """The records of six short runs on this machine, and what was heard of them."""
    folder, heard = tmp_path_factory.mktemp("pooled") / "records", list[Event]()
    carry_out_all(tasks_of(SHORT, folder), folder, Pool(2), heard.append)
    return folder, heard


@pytest.mark.slow
def test_a_cluster_makes_the_records_of_the_pool(
    machines: Machines, pooled: tuple[Path, list[Event]], tmp_path: Path
) -> None:
    """On two machines each run has the bits and the key that it has here, and as much is told of it on the way."""
    heard: list[Event] = []
    tasks = tasks_of(SHORT, tmp_path / "records")
    made = carry_out_all(tasks, tmp_path / "records", Cluster(machines.address), heard.append)
    assert made == {task.key for task in tasks}
    assert len(made) == 6
    assert records(tmp_path / "records") == records(pooled[0])
    assert told(heard) == told(pooled[1])
    assert isinstance(heard[0], Begun)
    lstm = [type(event) for event in heard if getattr(event, "name", "") == "lstm/seed=0"]
    assert lstm == [RunStarted, EpochDone, EpochDone, EpochDone, RunDone]


def signed(task: Task, tell: Listen, scratch: Path, last_try: bool) -> dict[str, bytes] | None:
    """Train, keep a checkpoint now and then, and leave a file that says where."""
    checkpoints.SECONDS_BETWEEN = 0.1
    (scratch.parent / task.name.replace("/", " ")).write_text(ray.get_runtime_context().get_node_id())
    return train(task, tell, scratch, last_try)


@pytest.mark.slow
def test_runs_of_a_machine_that_is_lost_are_tried_again_elsewhere(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine dies in mid-suite: every run finishes with the bits it has here, and is written exactly once.

    The run that it had goes on from its checkpoint, since both machines see the folder of the build.
    """
    written: list[str] = []
    write = Store.write

    def noted(store: Store, key: str, files: dict[str, bytes]) -> None:
        written.append(key)
        write(store, key, files)

    monkeypatch.setattr(Store, "write", noted)
    doomed = machines.add_node(**MACHINE)
    heard: list[Event] = []

    def kept(event: EpochDone) -> bool:
        """Tell whether the run is on the doomed machine, and can go on from a checkpoint."""
        (key,) = [task.key for task in tasks if task.name == event.name]
        there = (tmp_path / "ray" / event.name.replace("/", " ")).read_text("utf-8") == doomed.node_id
        return there and Store(tmp_path / "ray").scratch(key).exists()

    def listen(event: Event) -> None:
        heard.append(event)
        if isinstance(event, EpochDone) and doomed in machines.worker_nodes and kept(event):
            machines.remove_node(doomed, allow_graceful=False)

    tasks = tasks_of(LONG, tmp_path / "ray")
    carry_out_all(tasks, tmp_path / "ray", Cluster(machines.address, work=signed), listen)
    assert Counter(written) == Counter(task.key for task in tasks)
    ends = [(event.name, event.status) for event in heard if isinstance(event, RunDone)]
    assert sorted(ends) == sorted((task.name, "finished") for task in tasks)
    begun = Counter(event.name for event in heard if isinstance(event, RunStarted))
    assert sum(begun.values()) == len(tasks) + 1
    again = [task for task in tasks if begun[task.name] == 2]
    own = [event for event in heard if getattr(event, "name", "") == again[0].name]
    resumed = own[own.index(RunStarted(again[0].name, 120), 1) + 1]
    assert isinstance(resumed, EpochDone)
    assert resumed.epoch > 1
    carry_out_all(again, tmp_path / "pool", Pool(1), lambda _: None)
    assert records(tmp_path / "pool").items() <= records(tmp_path / "ray").items()


FAULT = connecting._fault

FATAL = """
title: Fatal
data: {source: function, load: data.py:load}
training: {epochs: 1}
runs: [{name: lstm, model: {cell: lstm}}]
seeds: [0]
device: cpu
formats: [md]
"""


@pytest.mark.slow
def test_a_run_that_always_kills_its_process_is_recorded_as_failed(machines: Machines, tmp_path: Path) -> None:
    """It is begun three times; its record says so, and the runs beside it finish."""
    begun = "    with open(Path(__file__).parent / 'begun', 'a') as file: file.write('x')\n"
    body = f"{begun}    os.kill(os.getpid(), 9)\n"
    (tmp_path / "data.py").write_text(f"import os\nfrom pathlib import Path\n\ndef load():\n{body}", "utf-8")
    folder = tmp_path / "records"
    fatal = tasks_of(FATAL, folder)
    tasks = [*fatal, *tasks_of(SHORT, folder)[:2]]
    heard: list[Event] = []
    carry_out_all(tasks, folder, Cluster(machines.address), heard.append)
    ends = {event.name: event.status for event in heard if isinstance(event, RunDone)}
    assert ends == {task.name: "failed" if task in fatal else "finished" for task in tasks}
    # by what each process has left behind: what it had just told may be lost with it
    assert (tmp_path / "begun").read_text("utf-8") == "xxx"
    assert RunStarted(fatal[0].name, 1) in heard
    record = plan.read(Store(folder), fatal[0].key)
    assert record is not None
    assert record.error.startswith("its process or its machine was lost three times")


def test_a_run_that_another_build_is_making_is_waited_for(
    machines: Machines, pooled: tuple[Path, list[Event]], tmp_path: Path
) -> None:
    """While the other build holds the record's lock the run is not begun; its record is taken as it is."""
    tasks = tasks_of(SHORT, tmp_path / "records")[:2]
    store, made = Store(tmp_path / "records"), Store(pooled[0]).read(tasks[0].key)
    assert made is not None
    heard: list[Event] = []
    other = store.lock(tasks[0].key)
    other.acquire()

    def listen(event: Event) -> None:
        heard.append(event)
        if isinstance(event, RunDone) and event.here:
            store.write(tasks[0].key, made)
            other.release()

    assert carry_out_all(tasks, store.folder, Cluster(machines.address), listen) == {tasks[1].key}
    ends = [(event.name, event.here) for event in heard if isinstance(event, RunDone)]
    assert ends == [(tasks[1].name, True), (tasks[0].name, False)]
    assert store.read(tasks[0].key) == made


STOPPED = """
title: Stopped
data: {source: surnames, languages: [Chinese, Greek, Russian], limit: 300}
runs:
  - {name: short, model: {cell: rnn}, training: {epochs: 1}}
  - {name: long, model: {cell: rnn}, training: {epochs: 100000}}
seeds: [0, 1, 2]
device: cpu
formats: [md]
"""


@pytest.mark.slow
def test_ctrl_c_ends_what_is_queued_and_under_way(machines: Machines, tmp_path: Path) -> None:
    """The build ends with 130 and keeps what had finished; the cluster stands, and all of it is free again."""
    (tmp_path / "suite.yaml").write_text(STOPPED, "utf-8")
    command = [sys.executable, "-m", "reportgen", "build", "suite.yaml", "--executor", "ray"]
    process = subprocess.Popen(
        [*command, "--address", machines.address], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    finished = (line for line in iter(process.stderr.readline, "") if "finished short" in line)
    assert len([next(finished) for _ in range(3)]) == 3
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=PATIENCE)
    assert (process.returncode, rest.splitlines()) == (130, ["interrupted; finished runs are kept"])
    assert len(records(tmp_path / "build" / "records")) == 3
    with connecting.connected(machines.address, None):
        deadline = time.monotonic() + PATIENCE
        while ray.available_resources().get("CPU") != 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert ray.available_resources()["CPU"] == 2


def shared(task: Task, *_: object) -> dict[str, bytes]:
    """Return a record of nothing but what Ray gave the run."""
    record = Record(
        key=task.key, parts=task.parts, settings={}, seed=task.seed, status="finished", error="", model={},
        data={}, environment=ray.get_runtime_context().get_assigned_resources(), started="", seconds=0.0,
    )  # fmt: skip
    return to_files(record)


def test_a_run_on_a_gpu_has_a_cpu_and_its_share(machines: Machines, tmp_path: Path) -> None:
    """Half a GPU each, say; what the runs were given is what was asked for."""
    tasks = tasks_of(SHORT, tmp_path / "records")
    tasks = [replace(task, settings={**task.settings, "device": "cuda"}) for task in tasks]
    cluster = Cluster(machines.address, gpu_share=0.5, work=shared)
    carry_out_all(tasks, tmp_path / "records", cluster, lambda _: None)
    given = [plan.read(Store(tmp_path / "records"), task.key) for task in tasks]
    assert [record and record.environment for record in given] == [{"CPU": 1.0, "GPU": 0.5}] * 6


def test_a_cluster_without_what_a_run_needs_is_one_message(machines: Machines, tmp_path: Path) -> None:
    """Nothing waits for ever for a GPU that no machine has."""
    tasks = [replace(t, settings={**t.settings, "device": "cuda"}) for t in tasks_of(SHORT, tmp_path / "records")]
    with pytest.raises(ReportgenError, match=r"^Ray: got no machine with 1 CPU and 2 GPU, which a run needs"):
        carry_out_all(tasks, tmp_path / "records", Cluster(machines.address, gpu_share=2), lambda _: None)


@pytest.mark.parametrize("part", ["torch", "code", "data"])
def test_a_machine_that_differs_carries_out_nothing(machines: Machines, tmp_path: Path, part: str) -> None:
    """Its records would lie under the keys of others: the build ends with a message that names the machine."""
    (task, *_) = tasks_of(SHORT, tmp_path / "records")
    other = replace(task, parts={**task.parts, part: "another"})
    told_as = f"^{re.escape(platform.node())}: got .* as {part}, expected another as on the machine of the build"
    with pytest.raises(ReportgenError, match=told_as):
        carry_out_all([other], tmp_path / "records", Cluster(machines.address), lambda _: None)
    assert records(tmp_path / "records") == {}


def test_a_machine_that_lacks_the_files_of_the_suite_says_which(tmp_path: Path) -> None:
    """The files that the settings of a run name are looked for before it begins."""
    (tmp_path / "data.py").write_text("def load(): ...", "utf-8")
    (task,) = tasks_of(FATAL, tmp_path / "records")
    assert named_files(task.settings) == [tmp_path / "data.py"]
    check_files(named_files(task.settings))
    with pytest.raises(
        ReportgenError, match=r"got no /elsewhere/data\.py, expected the suite's folder at the same"
    ):
        check_files([Path("/elsewhere/data.py")])


# --- where there is no Ray ---------------------------------------------------------------------------------


def test_ray_is_started_here_and_listens_on_this_machine_alone(tmp_path: Path) -> None:
    """`--executor ray` needs no cluster; nobody else can reach what it starts, and no process is left."""
    script = tmp_path / "script.py"
    script.write_text(ALONE, "utf-8")
    home = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    home["HOME"] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, str(script)], env=home, capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    found = json.loads(done.stdout)
    assert found["cpus"] == 1
    assert len(found["listening"]) > 3
    assert {address.removeprefix("::ffff:") for address in found["listening"]} == {"127.0.0.1"}
    assert found["left"] == []
    assert not (tmp_path / ".ray").exists()


ALONE = """
import json
import psutil
from reportgen.executors.factory import chosen
executor = chosen("ray", 1)
import ray
from reportgen.executors.cluster import connected
with connected(None, 1):
    own = [psutil.Process(), *psutil.Process().children(recursive=True)]
    listening = [c.laddr.ip for p in own for c in p.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    cpus = ray.cluster_resources()["CPU"]
gone, left = psutil.wait_procs(own[1:], timeout=300)
print(json.dumps({"cpus": cpus, "listening": listening, "left": [p.name() for p in left]}))
"""


@pytest.mark.slow
def test_the_command_line_builds_with_ray(reportgen: Command, tmp_path: Path) -> None:
    """A report is written, and the line at the end counts what was trained."""
    (tmp_path / "suite.yaml").write_text(SHORT, "utf-8")
    done = reportgen("build", "suite.yaml", "--executor", "ray", "--jobs", 2, "--format", "md")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert done.stdout.splitlines()[-1].startswith("6 trained, 0 reused, ")
    assert (tmp_path / "build" / "suite" / "report.en.md").is_file()


def test_an_address_where_nobody_listens_is_one_message(reportgen: Command, tmp_path: Path) -> None:
    """It is told at once: nobody waits for the two minutes that Ray would ask for."""
    (tmp_path / "suite.yaml").write_text(SHORT, "utf-8")
    done = reportgen("build", "suite.yaml", "--executor", "ray", "--address", "127.0.0.1:1")
    assert done.returncode == 2
    assert done.stderr.splitlines()[1:] == [
        "--address: got 127.0.0.1:1 (Connection refused), expected the head of a Ray cluster that this machine "
        "is a node of"
    ]


def test_an_address_where_something_else_listens_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever listens there and never answers, the wait has an end."""
    monkeypatch.setattr(connecting, "_fault", FAULT)
    monkeypatch.setattr(connecting, "_ANSWER_SECONDS", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with (
            pytest.raises(ReportgenError, match=rf"^--address: got {address} \(no answer\), expected the head of"),
            connecting.connected(address, None),
        ):
            pass


@pytest.mark.parametrize("address", ["ray://head:10001", "head", ":6379", "head:0", "head:70000", "head:six"])
def test_an_address_of_another_form_is_refused(address: str) -> None:
    """Host and port are asked for before anything is read."""
    with pytest.raises(ReportgenError, match=r"^--address: got .*, expected HOST:PORT of a Ray cluster$"):
        chosen("ray", None, address)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--executor", "slurm"), "--executor: got 'slurm', expected local or ray"),
        (("--address", "a:1"), "--address: requires --executor ray"),
        (("--gpu-share", "0.5"), "--gpu-share: requires --executor ray"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    reportgen: Command, options: tuple[str, ...], message: str
) -> None:
    """One message and exit status 2, before the suite is read."""
    done = reportgen("build", "nowhere.yaml", *options)
    assert (done.returncode, done.stderr.splitlines()) == (2, [message])


def test_without_ray_the_message_says_how_to_get_it() -> None:
    """The extra is named; without `--executor ray` nothing asks for Ray."""
    code = "import sys; sys.modules['ray'] = None; from reportgen.cli.app import main; main()"
    command = [sys.executable, "-c", code, "build", str(TINY), "--executor", "ray"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    expected = '--executor ray: Ray is not installed; get it with: pip install "reportgen[ray]"\n'
    assert (done.returncode, done.stderr) == (2, expected)


def test_ray_is_imported_for_its_own_executor_alone() -> None:
    """A build on this machine does not pay for it."""
    code = "import sys, reportgen.pipeline; from reportgen.executors.factory import chosen; chosen('local', 2); "
    done = subprocess.run(
        [sys.executable, "-c", f"{code}print('ray' in sys.modules)"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
