"""Its Terraform module, planned and applied against a stand-in for AWS."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from .conftest import NEWEST, Render
from .stories import ENVIRONMENT, Service, free_port, run, tool, wait_until

TAGS = {"service": "orders-api", "owner": "payments", "cost_centre": "cc-42", "environment": "dev"}
PROVIDER = """\
provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  endpoints {
    ecr  = "URL"
    iam  = "URL"
    logs = "URL"
    sts  = "URL"
  }
}
"""
# Read before the tests clear what the caller has set.
PLUGINS = os.environ.get("TF_PLUGIN_DIR")


def plugins() -> str:
    """Return the folder that has the AWS provider, or skip the test: nothing is downloaded."""
    places = [
        *([Path(PLUGINS)] if PLUGINS else []),
        Path(ENVIRONMENT.get("HOME", "/")) / ".terraform.d" / "plugins",
        Path("/usr/local/share/terraform/plugins"),
        *Path("/opt").glob("*"),
    ]
    for place in places:
        if (place / "registry.terraform.io" / "hashicorp" / "aws").is_dir():
            return str(place)
    pytest.skip("no AWS provider: `terraform providers mirror DIR`, then set TF_PLUGIN_DIR=DIR")


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server that answers as AWS does."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [tool("moto_server"), "-H", "127.0.0.1", "-p", str(port)],
            env=ENVIRONMENT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    def answers() -> bool:
        assert server.poll() is None, log.read_text()
        try:
            return httpx.get(f"{url}/moto-api/data.json", trust_env=False).is_success
        except httpx.TransportError:
            return False

    wait_until(answers, log.read_text)
    yield url
    server.terminate()
    server.wait()


class Terraform:
    """A root module that uses the service's."""

    def __init__(self, folder: Path, aws: str, arguments: dict[str, str]) -> None:
        self.folder = folder
        self.write(folder, aws, arguments)
        self("init", f"-plugin-dir={plugins()}", "-input=false")

    @staticmethod
    def write(folder: Path, aws: str, arguments: dict[str, str]) -> None:
        words = "".join(f"  {name} = {json.dumps(value)}\n" for name, value in arguments.items())
        call = f'module "orders" {{\n  source = "./module"\n{words}}}\n'
        (folder / "main.tf").write_text(PROVIDER.replace("URL", aws) + call)

    def __call__(self, *words: str) -> str:
        return run(tool("terraform"), *words, "-no-color", cwd=self.folder, env=self.env)

    @property
    def env(self) -> dict[str, str]:
        return {
            "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": os.devnull,
            "TF_IN_AUTOMATION": "1",
        }

    def resources(self) -> dict[str, Any]:
        """Return what was made, by type."""
        state = json.loads(self("show", "-json"))
        (module,) = state["values"]["root_module"]["child_modules"]
        return {resource["type"]: resource["values"] for resource in module["resources"]}


@pytest.fixture
def module(service: Service, tmp_path: Path) -> Path:
    """A folder which has the service's module in it."""
    shutil.copytree(service.path / "terraform", tmp_path / "root" / "module")
    return tmp_path / "root"


def test_it_is_formatted(service: Service) -> None:
    run(tool("terraform"), "fmt", "-check", "-recursive", cwd=service.path / "terraform")


def test_everything_it_makes_is_tagged_and_safe(module: Path, aws: str) -> None:
    terraform = Terraform(module, aws, TAGS)

    terraform("validate")
    terraform("plan", "-input=false", "-out=plan")
    terraform("apply", "-input=false", "plan")

    made = terraform.resources()
    expected = {name.replace("_", "-"): value for name, value in TAGS.items()}
    for kind in ("aws_ecr_repository", "aws_cloudwatch_log_group", "aws_iam_role"):
        assert made[kind]["tags_all"] == expected
    repository = made["aws_ecr_repository"]
    assert repository["image_tag_mutability"] == "IMMUTABLE"
    assert repository["image_scanning_configuration"] == [{"scan_on_push": True}]
    assert repository["encryption_configuration"][0]["encryption_type"] == "KMS"
    assert made["aws_cloudwatch_log_group"]["retention_in_days"] == 30
    assert "pods.eks.amazonaws.com" in made["aws_iam_role"]["assume_role_policy"]
    terraform("destroy", "-input=false", "-auto-approve")


def test_missing_and_empty_tags_are_refused(module: Path) -> None:
    terraform = Terraform(module, "http://127.0.0.1:9", {})
    with pytest.raises(AssertionError) as missing:
        terraform("validate")

    Terraform.write(module, "http://127.0.0.1:9", dict.fromkeys(TAGS, ""))
    with pytest.raises(AssertionError) as empty:
        terraform("plan", "-input=false", "-refresh=false")

    for tag in TAGS:
        assert f'The argument "{tag}" is required' in str(missing.value)
        assert re.search(rf"{tag} += +\"\"", str(empty.value))
    assert str(empty.value).count("Invalid value for variable") == len(TAGS)


def test_its_own_tests_pass_and_its_answers_fit(service: Service, tmp_path: Path) -> None:
    """They need no AWS; terraform.tfvars is read as well."""
    alone = tmp_path / "terraform"
    shutil.copytree(service.path / "terraform", alone)
    env = {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    run(tool("terraform"), "init", f"-plugin-dir={plugins()}", "-backend=false", cwd=alone, env=env)

    assert "4 passed, 0 failed" in run(tool("terraform"), "test", "-no-color", cwd=alone, env=env)


@pytest.mark.parametrize("newest", NEWEST)
def test_the_longest_name_fits(newest: str, aws: str, render: Render, tmp_path: Path) -> None:
    name = "a" * 63
    service = render(newest, tmp_path / "service", name=name)
    shutil.copytree(service.path / "terraform", tmp_path / "root" / "module")
    terraform = Terraform(tmp_path / "root", aws, TAGS | {"service": name, "environment": "e" * 16})

    terraform("plan", "-input=false")
