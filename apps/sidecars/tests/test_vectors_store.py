"""What is kept, and what happens when something goes wrong, over the real engine."""

import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .conftest import ENVIRONMENT, Server, Start

CHUNKS = "/collections/chunks"
SETTINGS = {"vectors": {"dense": {"size": 2, "distance": "Cosine"}}, "sparse_vectors": {"bm25": {"modifier": "idf"}}}


def point(number: int | str, **payload: object) -> dict[str, object]:
    return {"id": number, "vector": {"dense": [1.0, float(len(payload))]}, "payload": payload}


def run_to_exit(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sidecars.vectors", *arguments],
        env={**ENVIRONMENT, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_kill_9_loses_nothing_that_was_acknowledged(start: Start, tmp_path: Path) -> None:
    arguments = ("sidecars.vectors", "--port", "0", "--dir", str(tmp_path))
    first = start(*arguments)
    first.call("PUT", CHUNKS, {**SETTINGS, "metadata": {"made_by": "test"}})
    first.call(
        "PUT", f"{CHUNKS}/index", {"field_name": "allow", "field_schema": {"type": "keyword", "is_tenant": True}}
    )
    for number in range(0, 100, 10):
        first.call("PUT", f"{CHUNKS}/points", {"points": [point(number + i, allow=["a"]) for i in range(10)]})
    first.call("POST", f"{CHUNKS}/points/payload", {"payload": {"allow": ["b"]}, "points": [7]})
    first.call("POST", f"{CHUNKS}/points/delete", {"points": [8]})
    before = first.call("GET", CHUNKS)
    first.process.kill()
    first.process.wait(timeout=30)

    second = start(*arguments)
    assert second.call("GET", CHUNKS)["config"] == before["config"]
    assert second.call("GET", CHUNKS)["payload_schema"]["allow"]["params"] == {"type": "keyword", "is_tenant": True}
    assert second.call("POST", f"{CHUNKS}/points/count", {}) == {"count": 99}
    where = {"must": [{"key": "allow", "match": {"any": ["b"]}}]}
    assert [p["id"] for p in second.call("POST", f"{CHUNKS}/points/scroll", {"filter": where})["points"]] == [7]


def test_what_was_refused_stays_refused_after_a_crash(start: Start, tmp_path: Path) -> None:
    """The engine logs an update before it judges it, so a refusal by the engine would come back from the log."""
    arguments = ("sidecars.vectors", "--port", "0", "--dir", str(tmp_path))
    first = start(*arguments)
    first.call("PUT", CHUNKS, SETTINGS)
    first.call("PUT", f"{CHUNKS}/points", {"points": [point(1, a=1)]})
    deep: object = 1
    for _ in range(200):
        deep = {"k": deep}
    bad_points = [
        {"id": 2, "vector": {"dense": [1.0]}},
        {"id": 2, "vector": {"unknown": [1.0, 2.0]}},
        {"id": 2, "vector": [1.0, 2.0]},
        {"id": 2, "vector": {"bm25": {"indices": [1, 1], "values": [1, 2]}}},
        {"id": 2, "vector": {"bm25": {"indices": [1], "values": [1, 2]}}},
        {"id": 2, "vector": {"bm25": [1.0, 2.0]}},
        {"id": 2, "vector": {"dense": {"indices": [1], "values": [1]}}},
        {"id": 2, "vector": {"dense": [1e39, 1.0]}},
        {"id": "not-a-uuid", "vector": {}},
        {"id": -1, "vector": {}},
        {"id": True, "vector": {}},
        point(2, deep=deep),
    ]
    for bad in bad_points:
        status, message = first.refuse("PUT", f"{CHUNKS}/points", {"points": [point(3), bad]})
        assert status == 400, message
    missing = {"payload": {"a": 2}, "points": [1, 77]}
    assert first.refuse("POST", f"{CHUNKS}/points/payload", missing) == (404, "Not found: No point with id 77")
    assert first.refuse("POST", f"{CHUNKS}/points/payload", {"payload": {"a": deep}, "points": [1]})[0] == 400
    nested_filter: dict[str, object] = {"must": [{"has_id": [1]}]}
    for _ in range(200):
        nested_filter = {"must": [nested_filter]}
    assert first.refuse("POST", f"{CHUNKS}/points/delete", {"filter": nested_filter})[0] == 400
    assert first.refuse("POST", f"{CHUNKS}/points/payload", {"payload": {"a": 2}})[0] == 400
    first.process.kill()
    first.process.wait(timeout=30)

    points = start(*arguments).call("POST", f"{CHUNKS}/points/scroll", {})["points"]
    assert [(p["id"], p["payload"]) for p in points] == [(1, {"a": 1})]


def test_one_unreadable_collection_does_not_take_the_others_down(start: Start, tmp_path: Path) -> None:
    arguments = ("sidecars.vectors", "--port", "0", "--dir", str(tmp_path))
    first = start(*arguments)
    first.call("PUT", CHUNKS, SETTINGS)
    first.call("PUT", "/collections/broken", SETTINGS)
    first.close()
    (tmp_path / "collections" / "broken" / "shard" / "edge_config.json").write_text("{")
    half_made = tmp_path / "collections" / "half"
    half_made.mkdir()
    (half_made / ".incomplete").touch()
    foreign = tmp_path / "collections" / "foreign"
    foreign.mkdir()

    second = start(*arguments)
    assert [c["name"] for c in second.call("GET", "/collections")["collections"]] == ["broken", "chunks"]
    assert second.call("POST", f"{CHUNKS}/points/count", {}) == {"count": 0}
    status, message = second.refuse("POST", "/collections/broken/points/count", {})
    assert (status, "cannot be read" in message) == (500, True)
    assert not half_made.exists()
    assert foreign.exists()
    assert second.refuse("PUT", "/collections/foreign", SETTINGS)[0] == 409
    assert second.call("DELETE", "/collections/broken") is True
    assert second.call("PUT", "/collections/broken", SETTINGS) is True


def test_collections_are_created_listed_and_deleted_with_the_errors_of_qdrant(vectors: Server) -> None:
    assert vectors.call("GET", "/collections") == {"collections": []}
    assert vectors.refuse("GET", CHUNKS) == (404, "Not found: Collection `chunks` doesn't exist!")
    assert vectors.call("PUT", CHUNKS, SETTINGS) is True
    assert vectors.refuse("PUT", CHUNKS, SETTINGS) == (409, "Wrong input: Collection `chunks` already exists!")
    assert vectors.call("GET", f"{CHUNKS}/exists") == {"exists": True}
    info = vectors.call("GET", CHUNKS)
    assert info["config"]["params"]["vectors"] == {"dense": {"size": 2, "distance": "Cosine"}}
    assert info["config"]["params"]["sparse_vectors"] == {"bm25": {"modifier": "idf"}}
    assert vectors.call("DELETE", CHUNKS) is True
    assert vectors.call("DELETE", CHUNKS) is False
    assert vectors.call("GET", f"{CHUNKS}/exists") == {"exists": False}
    assert vectors.call("PUT", CHUNKS, {"vectors": {"size": 3, "distance": "Dot"}}) is True  # An unnamed vector.
    vectors.call("PUT", f"{CHUNKS}/points", {"points": [{"id": 1, "vector": [1, 2, 3]}]})
    assert vectors.call("POST", f"{CHUNKS}/points/query", {"query": [1, 1, 1]})["points"][0]["score"] == 6
    assert vectors.call("GET", CHUNKS)["config"]["params"]["vectors"] == {"size": 3, "distance": "Dot"}


@pytest.mark.parametrize("name", ["..", ".hidden", "a%2Fb", "a%00b", "x" * 200, "sp ace"])
def test_a_collection_name_cannot_leave_the_directory(vectors: Server, name: str) -> None:
    assert vectors.client.put(f"/collections/{name}", json=SETTINGS).status_code in (400, 404, 405)
    assert vectors.call("GET", "/collections") == {"collections": []}


def test_uuids_come_back_as_they_were_given(vectors: Server) -> None:
    name = "5c56c793-69f3-4fbf-87e6-c4bf54c28c26"
    vectors.call("PUT", CHUNKS, SETTINGS)
    vectors.call("PUT", f"{CHUNKS}/points", {"points": [point(name, a=1)]})
    assert vectors.call("POST", f"{CHUNKS}/points", {"ids": [name]})[0]["id"] == name
    assert (
        vectors.call("POST", f"{CHUNKS}/points/query", {"query": [1, 1], "using": "dense"})["points"][0]["id"] == name
    )
    vectors.call("POST", f"{CHUNKS}/points/payload", {"payload": {"a": 2}, "points": [name]})
    assert vectors.call("POST", f"{CHUNKS}/points", {"ids": [name]})[0]["payload"] == {"a": 2}


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b'{"points": [{"id": 1}]}', 400),
        (b'{"points": [], "shard_key": "a"}', 400),
        (b'{"points": [{"id": 1, "vector": {}, "payload": {"t": "\\ud800"}}]}', 400),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (b'{"points": [{"id": 1, "vector": {"dense": [1e999, 1]}}]}', 400),
        (b" " * (33 * 1024 * 1024), 413),
    ],
)
def test_a_hostile_body_gets_an_error_in_the_shape_of_qdrant(vectors: Server, content: bytes, status: int) -> None:
    vectors.call("PUT", CHUNKS, SETTINGS)
    response = vectors.client.put(f"{CHUNKS}/points", content=content)
    assert response.status_code == status
    assert response.json()["status"]["error"]
    assert vectors.call("POST", f"{CHUNKS}/points/count", {}) == {"count": 0}


def test_simultaneous_writers_and_readers_lose_nothing(vectors: Server) -> None:
    vectors.call("PUT", CHUNKS, SETTINGS)

    def write(worker: int) -> None:
        for i in range(10):
            numbers = range(worker * 1000 + i * 5, worker * 1000 + i * 5 + 5)
            vectors.call("PUT", f"{CHUNKS}/points", {"points": [point(n, worker=worker) for n in numbers]})
            vectors.call("POST", f"{CHUNKS}/points/query", {"query": [1, 1], "using": "dense", "limit": 50})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert vectors.call("POST", f"{CHUNKS}/points/count", {}) == {"count": 400}


def test_a_second_server_on_the_same_directory_is_refused_by_name(vectors: Server, tmp_path: Path) -> None:
    second = run_to_exit("--port", "0", "--dir", str(tmp_path))
    assert second.returncode == 1
    assert f"is held by another vectors server (process {vectors.process.pid})" in second.stderr
    assert second.stdout == ""


def test_a_taken_port_an_empty_key_and_an_unusable_directory_each_end_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = run_to_exit("--port", port, "--dir", str(tmp_path))
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert f"Port {port} on 127.0.0.1 cannot be used" in refused.stderr
    refused = run_to_exit("--port", "0", "--dir", str(tmp_path), "--api-key-env", "NO_SUCH_KEY")
    assert (refused.returncode, "NO_SUCH_KEY is empty" in refused.stderr) == (1, True)
    (tmp_path / "file").touch()
    refused = run_to_exit("--port", "0", "--dir", str(tmp_path / "file"))
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)


def test_with_a_key_only_health_is_open(start: Start, tmp_path: Path) -> None:
    arguments = ("sidecars.vectors", "--port", "0", "--dir", str(tmp_path), "--api-key-env", "VECTORS_KEY")
    server = start(*arguments, environment={"VECTORS_KEY": "kéy"})
    assert server.client.get("/healthz").status_code == 200
    assert server.client.get("/readyz").status_code == 200
    assert server.client.get("/").json()["version"].startswith("1.19")
    for headers in ({}, {"api-key": "wrong"}, {"authorization": "Bearer wrong"}):
        assert server.client.get("/collections", headers=headers).status_code == 401
    for name, value in (("api-key", "kéy"), ("authorization", "Bearer kéy")):
        assert server.client.get("/collections", headers=[(name.encode(), value.encode())]).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"origin": "https://example.com"}, {"sec-fetch-site": "cross-site"}, {"host": "rebound.example.com"}]
)
def test_a_page_in_a_browser_is_refused(vectors: Server, headers: dict[str, str]) -> None:
    assert vectors.client.get("/collections", headers=headers).status_code == 403


def test_it_listens_on_loopback_only(vectors: Server) -> None:
    port = int(vectors.url.rsplit(":", 1)[1])
    table = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    listening = [line.split()[1] for line in table.splitlines()[1:] if line.split()[3:4] == ["0A"]]
    assert [address for address in listening if address.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]


def test_an_idle_server_waits_without_a_timeout(vectors: Server) -> None:
    """It sleeps in epoll_wait, whose fourth argument is the timeout: -1 means for ever."""
    syscall = Path(f"/proc/{vectors.process.pid}/syscall")
    try:
        waiting = next(call for _ in range(10_000) if (call := syscall.read_text().split())[0] != "running")
    except PermissionError:
        pytest.skip("this kernel does not show what another process waits for")
    assert int(waiting[4], 16) & 0xFFFFFFFF == 0xFFFFFFFF


def test_sigterm_is_a_clean_stop(vectors: Server) -> None:
    assert vectors.client.get("/healthz").status_code == 200
    vectors.process.send_signal(signal.SIGTERM)
    assert vectors.process.wait(timeout=30) == 0


def test_it_ends_with_its_parent_when_asked_to(start: Start, tmp_path: Path) -> None:
    server = start("sidecars.vectors", "--port", "0", "--dir", str(tmp_path), "--exit-with-parent")
    assert server.process.stdin
    server.process.stdin.close()
    assert server.process.wait(timeout=30) == 0
