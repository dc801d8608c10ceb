"""Clients of AWS: what they are made of is read once, and from where the user's configuration says."""

import json
from collections import Counter
from pathlib import Path

import pytest
from botocore.loaders import JSONFileLoader

from taxiway.aws.session import Place, client


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often botocore's descriptions have been read, by name."""
    counts: Counter[str] = Counter()
    load_file = JSONFileLoader.load_file

    def counting(loader: JSONFileLoader, file_path: str) -> object:
        content = load_file(loader, file_path)
        if content is not None:
            counts[Path(file_path).name] += 1
        return content

    monkeypatch.setattr(JSONFileLoader, "load_file", counting)
    return counts


def test_what_all_services_need_is_read_once_however_many_clients_there_are(
    read: Counter[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # A path that no other test has used: nothing has been read from it.
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    for region in ("eu-west-1", "eu-central-1"):
        for service in ("ecs", "logs"):
            assert client(service, Place(region=region)).meta.region_name == region
    assert read["endpoints"] == 1


def test_descriptions_of_the_users_own_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "ecs" / "2099-01-01"
    folder.mkdir(parents=True)
    own = {
        "metadata": {
            "apiVersion": "2099-01-01",
            "endpointPrefix": "ecs",
            "jsonVersion": "1.1",
            "protocol": "json",
            "serviceFullName": "of a test",
            "serviceId": "ECS",
            "signatureVersion": "v4",
            "targetPrefix": "Own",
        },
        "operations": {},
        "shapes": {},
    }
    (folder / "service-2.json").write_text(json.dumps(own))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    assert client("ecs", Place(region="eu-west-1")).meta.service_model.api_version == "2099-01-01"
