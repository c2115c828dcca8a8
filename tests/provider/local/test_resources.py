"""What a workload needs, as it is had here: real servers, folders, the platform's own."""

from __future__ import annotations

import json
import shutil
import socket
import stat
import sys
from pathlib import Path

import httpx
import psycopg
import pytest

from idp.config.running import Provisioner
from idp.errors import IdpError, InvalidInput
from idp.workload.model import Check, Container, File, HttpGet, Mount, Port, Resource, Workload
from tests.postgres import MISSING
from tests.provider.contract import NAME, Story
from tests.provider.local.test_front import running, shown
from tests.provider.local.world import PYTHON, LocalWorld, workload

DATABASE = Resource("db", "postgres")
URL = "postgresql://{username}:{password}@{host}:{port}/{name}"
VARIABLE = URL.replace("{", "${resources.db.")

needs_postgres = pytest.mark.skipif(
    not (shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))),
    reason=MISSING,
)
needs_redis = pytest.mark.skipif(
    not shutil.which("redis-server"), reason="Redis is missing: apt-get install redis-server"
)


@needs_postgres
def test_a_database_of_ones_own_keeps_what_is_in_it(story: Story, world: LocalWorld) -> None:
    wanted = workload(variables={"DATABASE_URL": VARIABLE}, resources=[DATABASE])
    world.provider.apply(story.release(workload=wanted), 1)
    url = httpx.get(f"{world.until(NAME, 'ready').url}/env/DATABASE_URL").text
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE users AS SELECT 'pat' AS name")
    world.provider.apply(story.release(workload=wanted, settings=shown("2")), 2)
    after = httpx.get(f"{world.until(NAME, 'ready').url}/env/DATABASE_URL").text
    assert after == url
    with psycopg.connect(after) as connection:
        assert connection.execute("SELECT name FROM users").fetchone() == ("pat",)


@needs_postgres
def test_its_password_is_needed_and_for_the_owner_alone(story: Story, world: LocalWorld) -> None:
    wanted = workload(variables={"DATABASE_URL": VARIABLE}, resources=[DATABASE])
    world.provider.apply(story.release(workload=wanted), 1)
    url = httpx.get(f"{world.until(NAME, 'ready').url}/env/DATABASE_URL").text
    password = url.split(":")[2].split("@")[0]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url.replace(password, "guessed"))
    folder = world.folder / "environments" / NAME
    holding = [path for path in folder.rglob("*") if path.is_file() and holds(path, password)]
    assert [path.name for path in holding] == ["resources.json"]
    assert stat.S_IMODE(holding[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not [p for p in world.processes(NAME) if password in " ".join(p.cmdline())]


def holds(path: Path, text: str) -> bool:
    return text.encode() in path.read_bytes()


@needs_redis
def test_a_cache_of_ones_own_needs_its_password(story: Story, world: LocalWorld) -> None:
    cache = "${resources.cache.host} ${resources.cache.port} ${resources.cache.password}"
    wanted = workload(variables={"CACHE": cache}, resources=[Resource("cache", "redis")])
    world.provider.apply(story.release(workload=wanted), 1)
    told = httpx.get(f"{world.until(NAME, 'ready').url}/env/CACHE").text
    host, port, password = told.split()
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(b"PING\r\n")
        assert client.recv(100).startswith(b"-NOAUTH")
        client.sendall(f"AUTH {password}\r\n".encode())
        assert client.recv(100) == b"+OK\r\n"
        client.sendall(b"PING\r\n")
        assert client.recv(100) == b"+PONG\r\n"


def test_a_volume_outlives_its_releases(story: Story, world: LocalWorld) -> None:
    data = Resource("data", "volume")
    mount = Mount("/var/data", "${resources.data}")
    main = Container("main", ".", variables={"DATA": "/var/data/sub"}, mounts=(mount,))
    wanted = Workload("shop", (main,), (Port("http", 80, 80),), (data,), run=PYTHON)
    world.provider.apply(story.release(workload=wanted), 1)
    first = httpx.get(f"{world.until(NAME, 'ready').url}/env/DATA").text
    assert first.endswith("/sub")
    Path(first).parent.joinpath("kept").write_text("still here")
    world.provider.apply(story.release(workload=wanted), 2)
    second = httpx.get(f"{world.until(NAME, 'ready').url}/env/DATA").text
    assert Path(second).parent.joinpath("kept").read_text() == "still here"


def test_files_are_laid_where_the_variables_say(story: Story, world: LocalWorld) -> None:
    file = File("/etc/shop/config.ini", text="[shop]\nname = ${metadata.name}\n", mode="0640")
    main = Container("main", ".", variables={"CONFIG": "/etc/shop/config.ini"}, files=(file,))
    wanted = Workload("shop", (main,), (Port("http", 80, 80),), run=PYTHON)
    world.provider.apply(story.release(workload=wanted), 1)
    place = Path(httpx.get(f"{world.until(NAME, 'ready').url}/env/CONFIG").text)
    assert place.read_text() == "[shop]\nname = shop\n"
    assert stat.S_IMODE(place.stat().st_mode) == 0o640


def test_secrets_reach_the_service_and_no_file(story: Story, world: LocalWorld) -> None:
    wanted = workload(
        variables={"KEY": "${resources.key.value}"}, resources=[Resource("key", "secret")]
    )
    given = {"key": {"value": "hunter2-the-secret"}}
    world.provider.apply(story.release(workload=wanted, given=given), 1)
    seen = world.until(NAME, "ready")
    assert httpx.get(f"{seen.url}/env/KEY").text == "hunter2-the-secret"
    files = [path for path in world.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if holds(path, "hunter2-the-secret")]
    assert not [p for p in world.processes(NAME) if "hunter2" in " ".join(p.cmdline())]


def test_a_secret_that_was_not_given_is_named(story: Story, world: LocalWorld) -> None:
    wanted = workload(resources=[Resource("key", "secret")])
    with pytest.raises(InvalidInput, match=r"resources\.key"):
        world.provider.apply(story.release(workload=wanted), 1)
    assert world.left(NAME) == []


PROGRAM = """
import json, pathlib, sys
asked = json.load(sys.stdin)
log = pathlib.Path(sys.argv[1])
with log.open("a") as file:
    file.write(json.dumps(asked) + "\\n")
print(json.dumps({"outputs": {"bucket": asked["environment"] + "-" + asked["resource"], "port": 9},
                  "state": {"made": True}}))
"""


def test_the_platforms_own_program_is_asked_and_asked_to_remove(
    tmp_path: Path, story: Story, world: LocalWorld
) -> None:
    program, log = tmp_path / "buckets.py", tmp_path / "asked.jsonl"
    program.write_text(PROGRAM)
    own = Provisioner("s3", command=(sys.executable, str(program), str(log)))
    fixed = Provisioner("s3", "public", outputs={"bucket": "public-{service}-{environment}"})
    asking = LocalWorld(world.folder, (own, fixed))
    resources = [Resource("files", "s3", params={"size": 1}), Resource("web", "s3", "public")]
    variables = {"A": "${resources.files.bucket} ${resources.files.port}"}
    variables |= {"B": "${resources.web.bucket}"}
    wanted = workload(variables=variables, resources=resources)
    for fence in (1, 2):
        asking.provider.apply(story.release(workload=wanted), fence)
    url = asking.until(NAME, "ready").url
    assert httpx.get(f"{url}/env/A").text == f"{NAME}-files 9"
    assert httpx.get(f"{url}/env/B").text == f"public-shop-{NAME}"
    world.provider.delete(NAME, 3)
    world.until_gone(NAME)
    asked = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(one["action"], one["state"]) for one in asked] == [
        ("provision", None),
        ("provision", {"made": True}),
        ("remove", {"made": True}),
    ]
    assert asked[2]["params"] == {"size": 1}


def test_a_program_that_fails_is_told_and_nothing_stays(tmp_path: Path, story: Story) -> None:
    failing = ("/bin/sh", "-c", 'grep -q remove && echo {} || { echo "no rights" >&2; exit 1; }')
    asking = LocalWorld(tmp_path / "local", (Provisioner("s3", command=failing),))
    wanted = workload(resources=[Resource("files", "s3")])
    with pytest.raises(IdpError) as raised:
        asking.provider.apply(story.release(workload=wanted), 1)
    assert "no rights" in str(raised.value.details)
    assert asking.left(NAME) == []


def test_several_containers_run_in_their_order(story: Story, world: LocalWorld) -> None:
    migrate = Container("migrate", ".", before={"main": "complete"}, run="sleep 0.3; echo migrated")
    ready = Check(HttpGet("/readyz", 80))
    main = Container("main", ".", readiness=ready, run=f"echo first; {PYTHON}")
    wanted = Workload("shop", (main, migrate), (Port("http", 80, 80),))
    world.provider.apply(story.release(workload=wanted), 1)
    world.until(NAME, "ready")
    assert list(world.provider.logs(NAME, follow=False, lines=9)) == [
        "main | first",
        "main | version 1 listens",
        "migrate | migrated",
    ]
    assert len(running(world)) == 1


def test_a_path_leads_to_a_port_of_its_own(story: Story, world: LocalWorld) -> None:
    both = f'PORT="$PORT_ADMIN" VERSION=admin {PYTHON.removeprefix("exec ")} & {PYTHON}'
    route = Resource("admin", "route", params={"path": "/admin", "port": 9090})
    ports = (Port("http", 8080, 8080), Port("admin", 9090, 9090))
    wanted = workload(both, ports=ports, resources=[route])
    world.provider.apply(story.release(workload=wanted, settings=shown("1")), 1)
    url = world.until(NAME, "ready").url
    assert httpx.get(f"{url}/").text == "1"
    assert httpx.get(f"{url}/administrator").text == "1"
    assert httpx.get(f"{url}/admin/users").text == "admin"


def test_a_probe_by_a_command_runs_with_the_services_variables(
    story: Story, world: LocalWorld, tmp_path: Path
) -> None:
    flag = tmp_path / "ready"
    probe = Check(command=("/bin/sh", "-c", 'test -e "$FLAG"'))
    wanted = workload(variables={"FLAG": str(flag)}, readiness=probe)
    world.provider.apply(story.release(workload=wanted), 1)
    seen = world.until(NAME, "starting")
    flag.touch()
    assert world.until(NAME, "ready").release == seen.release


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Workload("shop", (Container("main", "nginx"),)), "containers.main"),
        (workload(readiness=Check(HttpGet("/", 9999))), "port 9999"),
        (workload(ports=(Port("dns", 53, 53, "UDP"),), readiness=None), "service.ports.dns"),
    ],
)
def test_what_a_host_cannot_do_is_said_before_anything_is_built(
    story: Story, wanted: Workload, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        story.release(workload=wanted)
