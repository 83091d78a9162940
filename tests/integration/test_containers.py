"""Compose, Kubernetes and the images name settings, flags and files that exist; their own schemas accept them."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import compose_spec
import kubernetes_validate
import pytest
import yaml

from bot.settings import load
from inference.adapter_resolver import register
from inference.base_models import STARTER
from inference.server_command import serving_flags, switches
from tests.acceptance.processes import REPOSITORY
from tests.acceptance.test_readme import SECRETS
from tests.integration.test_deploy import DEPLOY, ran

COMPOSE, CONTAINERFILE = REPOSITORY / "compose.yaml", REPOSITORY / "Containerfile"
KUBERNETES = DEPLOY / "kubernetes"
_SHARED = "/dev/shm"  # noqa: S108
VERSION = "1.33"
"""The oldest version of Kubernetes that is still maintained."""
HELD = {*SECRETS, "DATABASE_URL", "SWITCHBOARD_ADAPTER_TOKEN"}
"""The contents of the folder of secrets."""
Row = dict[str, object]


def rows() -> Iterator[Row]:
    for file in sorted(KUBERNETES.glob("*.yaml")):
        if file.name != "kustomization.yaml":
            yield from yaml.safe_load_all(file.read_text("utf-8"))


def services() -> dict[str, Row]:
    found: dict[str, Row] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    return found


def at(row: object, *path: str | int | slice) -> object:
    """The value at that path."""
    for step in path:
        assert isinstance(row, dict | list)
        row = row[step]  # type: ignore[index]
    return row


def flags() -> set[str]:
    """The flags that a server needs for us, each with its value."""
    line = " ".join(serving_flags(STARTER, "starter"))
    return {part.strip().replace(" ", "=") for part in re.findall(r"--\S+(?: [^-]\S*)?", line)}


def test_compose_is_as_its_specification_has_it() -> None:
    written = re.sub(r"\$\{\w+:-([^}]+)\}", r"\1", COMPOSE.read_text("utf-8"))  # as without those variables
    merged = yaml.safe_dump(yaml.safe_load(written))
    assert set(compose_spec.PyCompose.from_yaml(merged).to_dict()["services"]) == set(services())
    with pytest.raises(ValueError, match="replica"):  # it ignores what it does not know
        compose_spec.PyCompose.from_yaml("services: {bot: {image: x, replica: 2}}")


def test_compose_runs_two_bots_one_trainer_and_either_model_server() -> None:
    assert at(services(), "bot", "deploy", "replicas") == 2
    assert at(services(), "model-server-cpu", "profiles") == ["cpu"]
    assert at(services(), "model-server-gpu", "profiles") == ["gpu"]
    for name in ("model-server-cpu", "model-server-gpu"):
        assert at(services(), name, "networks", "inside", "aliases") == ["model-server"]


def test_nothing_of_ours_is_written_but_volumes_and_nobody_gains_rights() -> None:
    ours = [row for name, row in services().items() if name != "database"]
    for row in ours:
        assert (row["read_only"], row["cap_drop"], row["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])


def test_files_that_compose_mounts_are_there() -> None:
    mounted = [str(one).split(":")[0] for row in services().values() for one in list(at(row, "volumes"))]  # type: ignore[call-overload]
    theirs = {"./switchboard.toml", "./secrets"}
    for one in {name for name in mounted if name.startswith("./")}:
        assert one in theirs or one.startswith("./secrets/") or (REPOSITORY / one).exists(), one


def test_targets_of_compose_are_stages_and_the_context_has_what_they_copy() -> None:
    text = CONTAINERFILE.read_text("utf-8")
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", text, re.MULTILINE))
    built = {str(at(row, "build", "target")) for row in services().values() if "build" in row}
    assert built == {"bot", "full", "model-server"} and built <= stages
    copied = {
        word.rstrip("/") for line in re.findall(r"^COPY (?!--)(.*) \S+$", text, re.MULTILINE) for word in line.split()
    }
    kept = set(re.findall(r"^!(\S+)$", (REPOSITORY / ".containerignore").read_text("utf-8"), re.MULTILINE))
    assert copied == kept
    assert all((REPOSITORY / name).exists() for name in kept)


def test_both_environments_are_made_by_one_script() -> None:
    """What both stages need is defined once."""
    runs = re.findall(r"^RUN (.*(?:pip install|image\.sh).*)$", CONTAINERFILE.read_text("utf-8"), re.MULTILINE)
    assert [line for line in runs if "image.sh" in line] == ["sh image.sh traces", "sh image.sh cpu,traces"]
    assert len([line for line in runs if "/opt/switchboard" in line]) == 0


@pytest.mark.parametrize("where", ["cpu", "gpu", "kubernetes"])
def test_the_model_server_is_started_with_what_serves_us(where: str) -> None:
    if where == "kubernetes":
        [row] = [one for one in rows() if at(one, "metadata", "name") == "model-server" and one["kind"] == "Deployment"]
        container = at(row, "spec", "template", "spec", "containers", 0)
        started = [*list(at(container, "command", slice(3, None))), *list(at(container, "args"))]  # type: ignore[call-overload]
        given = at(container, "env")
        assert isinstance(given, list)
        environment = {one["name"]: one["value"] for one in given}
    else:
        service = services()[f"model-server-{where}"]
        started = [*list(at(service, "entrypoint", slice(3, None))), *list(at(service, "command"))]  # type: ignore[call-overload]
        environment = dict(at(services(), f"model-server-{where}", "environment"))  # type: ignore[call-overload]
    assert isinstance(started, list)
    # Compiling needs a compiler, which the image for CPUs lacks, and takes longer than it saves
    here = {"--model=/opt/starter", "--host=0.0.0.0", "--port=8000", *(["--enforce-eager"] if where != "gpu" else [])}
    assert flags() | here == set(started)
    assert switches().items() <= environment.items()
    if where != "gpu":  # as our own server on a CPU, which needs no compiler either
        assert {"VLLM_CPU_KVCACHE_SPACE": "1", "TORCHDYNAMO_DISABLE": "1"}.items() <= environment.items()
    said = register.__globals__["__doc__"]
    assert {name for name in environment if name.startswith("SWITCHBOARD_")} <= set(
        re.findall(r"SWITCHBOARD_\w+", said)
    )


def test_the_model_server_has_the_shared_memory_that_it_starts_with() -> None:
    """160 MiB; containers have 64 unless they are given more."""
    for name in ("model-server-cpu", "model-server-gpu"):
        assert at(services(), name, "shm_size") == "1gb"
    [row] = [one for one in rows() if at(one, "metadata", "name") == "model-server" and one["kind"] == "Deployment"]
    pod = at(row, "spec", "template", "spec")
    assert {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}} in list(at(pod, "volumes"))  # type: ignore[call-overload]
    assert {"name": "shm", "mountPath": _SHARED} in list(at(pod, "containers", 0, "volumeMounts"))  # type: ignore[call-overload]


def test_settings_for_containers_load_and_lead_to_the_model_server(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name in HELD:
        (folder / name).write_text(SECRETS.get(name, "postgresql://switchboard:x@database/switchboard"), "utf-8")
    known = load(KUBERNETES / "switchboard.toml", {"CREDENTIALS_DIRECTORY": str(folder)})
    assert (known.model.server, known.model.server_adapters) == ("http://model-server:8000", "fetch")
    assert known.database.url and known.model.adapter_token
    assert (known.web.host, known.web.port) == ("0.0.0.0", 8080)  # noqa: S104  inside a container
    assert known.model.runs == Path("/var/lib/switchboard/runs")


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: f"{row['kind']} {row['metadata']['name']}")
def test_kubernetes_takes_each_manifest(row: Row) -> None:
    kubernetes_validate.validate(row, VERSION, strict=True)


def test_kubernetes_takes_no_other(tmp_path: Path) -> None:
    [job] = [row for row in rows() if row["kind"] == "Job"]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**job, "spec": {**dict(at(job, "spec")), "template": 3}}, VERSION, strict=True)  # type: ignore[call-overload]


def test_the_kustomization_has_every_file_and_image() -> None:
    known = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text("utf-8"))
    there = {file.name for file in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(known["resources"]) == there
    assert known["configMapGenerator"][0]["files"] == ["switchboard.toml"]
    asked = set(re.findall(r"^ +image: (\S+)$", "".join((KUBERNETES / one).read_text("utf-8") for one in there), re.M))
    assert {one["name"] for one in known["images"]} == asked


def test_pods_are_nobody_and_write_nothing_but_their_volumes() -> None:
    pods = [at(row, "spec", "template") for row in rows() if row["kind"] in ("Deployment", "StatefulSet", "Job")]
    assert len(pods) == 4
    for pod in pods:
        assert at(pod, "spec", "securityContext", "runAsNonRoot") is True
        container = at(pod, "spec", "containers", 0, "securityContext")
        assert container == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_selectors_find_the_pods_that_they_mean() -> None:
    made = [row for row in rows() if row["kind"] in ("Deployment", "StatefulSet")]
    labels = {str(at(row, "metadata", "name")): at(row, "spec", "template", "metadata", "labels") for row in made}
    for row in made:
        assert at(row, "spec", "selector", "matchLabels") == labels[str(at(row, "metadata", "name"))]
    for row in rows():
        if row["kind"] == "Service":
            assert at(row, "spec", "selector") == labels[str(at(row, "metadata", "name"))]
        if row["kind"] == "PodDisruptionBudget":
            assert at(row, "spec", "selector", "matchLabels") == labels["bot"]


def test_prometheus_looks_at_the_services_that_there_are() -> None:
    ran("promtool", "check", "config", "prometheus-containers.yml", at=DEPLOY / "monitoring")
    looked = yaml.safe_load((DEPLOY / "monitoring" / "prometheus-containers.yml").read_text("utf-8"))
    assert set(at(looked, "scrape_configs", 0, "dns_sd_configs", 0, "names")) <= set(services())  # type: ignore[call-overload]


@pytest.mark.slow
def test_what_is_installed_can_be_listed_as_cyclonedx(tmp_path: Path) -> None:
    """As the Containerfile does it, which puts a list into each image."""
    script = (DEPLOY / "image.sh").read_text("utf-8")
    command = re.search(r"cyclonedx-py (environment .*?)(?: \\\n|--pyproject)", script)
    assert command is not None
    file = tmp_path / "sbom.cdx.json"
    asked = [*command[1].split(), "-o", str(file), sys.executable]
    subprocess.run([sys.executable, "-m", "cyclonedx_py", *asked], check=True, capture_output=True)
    listed = {one["name"].lower(): one["version"] for one in json.loads(file.read_text("utf-8"))["components"]}
    pinned = dict(
        line.lower().split("==") for line in (REPOSITORY / "constraints.txt").read_text("utf-8").splitlines() if line
    )
    assert len(listed) > 100
    assert listed["sqlalchemy"] == pinned["sqlalchemy"]
