"""The files for Swarm and Kubernetes pass on every variable that the compose file does."""

from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.conftest import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
STACK = yaml.safe_load((ROOT / "deploy/stack.yml").read_text())
KUBERNETES: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy/kubernetes.yml").read_text())["items"]
PROCESSES = ("api", "handler", "janitor")
SECRETS = {"DATABASE_URL", "WEBHOOK_SECRET", "FLASK_TASKS_API_KEY"}


def variables(file: dict[str, Any], process: str) -> set[str]:
    """The variables of a process; one that names a file counts as the one that it stands for."""
    return {name.removesuffix("_FILE") for name in file["services"][process]["environment"]}


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [each for each in KUBERNETES if each["kind"] == kind]


@pytest.mark.parametrize("process", PROCESSES)
def test_a_stack_passes_on_what_compose_does(process: str):
    assert variables(STACK, process) == variables(COMPOSE, process)


def test_kubernetes_passes_on_what_compose_does():
    (settings,) = of_kind("ConfigMap")
    assert settings["data"].keys() | SECRETS == set().union(*(variables(COMPOSE, each) for each in PROCESSES))
    for deployment in of_kind("Deployment"):
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert [*map(list, container["envFrom"])] == [["configMapRef"], ["secretRef"]]


def test_every_process_has_bounds_a_tag_and_in_kubernetes_a_probe_and_a_budget():
    for process in PROCESSES:
        service = STACK["services"][process]
        assert service["image"].endswith(":${TAG:-latest}")
        assert "memory" in service["deploy"]["resources"]["limits"]
    deployments = of_kind("Deployment")
    assert len(deployments) == len(PROCESSES)
    for deployment in deployments:
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert container["readinessProbe"]
        assert "memory" in container["resources"]["limits"]
        assert ":" in container["image"]
    budgets = {each["metadata"]["name"] for each in of_kind("PodDisruptionBudget")}
    assert budgets == {each["metadata"]["name"] for each in deployments}
