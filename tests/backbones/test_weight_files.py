import os
import zipfile
from hashlib import sha256
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file

from cilsim.backbones import weight_files
from cilsim.backbones.options import ImageNetResNetOptions, SmallOptions
from cilsim.backbones.residual import resnet18
from cilsim.backbones.weight_files import identity, read_weights, torchvision_file, weights_file
from cilsim.errors import CheckpointError, DataError

URL = "https://download.pytorch.org/models/resnet18-f37072fd.pth"
TENSORS = {"a": torch.arange(3.0), "b.c": torch.ones(2, 2)}


class RunsCode:
    def __reduce__(self):
        return os.getcwd, ()


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def test_safetensors_are_read(tmp_path):
    save_file(TENSORS, tmp_path / "w.safetensors")
    assert equal(read_weights(tmp_path / "w.safetensors"), TENSORS)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TENSORS, id="the state dict itself"),
        pytest.param({"epoch": 7, "state_dict": TENSORS}, id="state_dict"),
        pytest.param({"params": TENSORS}, id="params, as TEEN"),
        pytest.param({"optimizer": {}, "teacher": TENSORS}, id="teacher, as DINO"),
    ],
)
def test_state_dicts_are_found_where_training_scripts_put_them(tmp_path, content):
    torch.save(content, tmp_path / "w.pth")
    assert equal(read_weights(tmp_path / "w.pth"), TENSORS)


def test_the_old_format_of_torch_is_read(tmp_path):
    torch.save(TENSORS, tmp_path / "w.pt", _use_new_zipfile_serialization=False)
    assert equal(read_weights(tmp_path / "w.pt"), TENSORS)


def test_a_pickle_that_runs_code_is_refused(tmp_path):
    path = tmp_path / "w.pt"
    torch.save({"state_dict": TENSORS, "args": RunsCode()}, path)
    with pytest.raises(CheckpointError) as caught:
        read_weights(path)
    message = str(caught.value)
    assert message.startswith(
        f"weights '{path}' cannot be read as tensors and plain data alone (UnpicklingError: "
    )
    assert message.endswith(") - save the state dict by itself, or as .safetensors")
    assert "\n" not in message


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"not at all")
    with pytest.raises(CheckpointError) as caught:
        read_weights(path)
    assert str(caught.value) == (
        f"weights '{path}' cannot be read (SafetensorError: Error while deserializing header: "
        "header too large) - expected a file in the format of safetensors"
    )


def test_a_cut_off_file_is_refused(tmp_path):
    path = tmp_path / "w.pt"
    torch.save(TENSORS, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="cannot be read as tensors and plain data alone"):
        read_weights(path)


def test_a_file_without_tensors_is_refused(tmp_path):
    path = tmp_path / "w.pt"
    torch.save({"accuracy": 0.5}, path)
    with pytest.raises(CheckpointError) as caught:
        read_weights(path)
    assert str(caught.value) == (
        f"weights '{path}' has no tensors by name - expected a state dict, or one under "
        "'state_dict', 'model', 'params', 'teacher', 'net'"
    )


def test_identity_is_name_and_checksum_of_the_file(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file(TENSORS, path)
    options = SmallOptions(weights=path, normalisation="dataset")
    digest = sha256(path.read_bytes()).hexdigest()
    assert identity(options) == {"name": "w.safetensors", "sha256": digest}
    assert identity(SmallOptions()) is None


def test_a_file_that_was_removed_is_named():
    with pytest.raises(DataError) as caught:
        weights_file(SmallOptions(weights=Path("/gone/w.pt"), normalisation="half"))
    assert str(caught.value) == "weights: no such file: /gone/w.pt"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Torch's cache in a temporary folder, and a network that is there."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(weight_files, "reachable", lambda url: True)
    return tmp_path / "checkpoints" / "resnet18-f37072fd.pth"


def test_weights_of_torchvision_are_fetched_once_with_their_checksum(hub, monkeypatch):
    asked = []

    def fetch(url, path, hash_prefix, progress):
        asked.append((url, path, hash_prefix))
        torch.save(
            resnet18(ImageNetResNetOptions(), (3, 32, 32), torch.Generator()).state_dict(), path
        )

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    monkeypatch.setattr(weight_files, "sha256_of", lambda path: "f37072fd" + 56 * "0")
    options = ImageNetResNetOptions(weights="imagenet1k_v1", frozen=True)
    net = resnet18(options, (3, 32, 32), torch.Generator().manual_seed(1))
    same = resnet18(options, (3, 32, 32), torch.Generator().manual_seed(2))
    assert torch.equal(net.conv1.weight, same.conv1.weight)
    assert not any(parameter.requires_grad for parameter in net.parameters())
    assert asked == [(URL, str(hub), "f37072fd")]


def test_offline_the_file_and_its_place_are_named(hub, monkeypatch):
    monkeypatch.setattr(weight_files, "reachable", lambda url: False)
    with pytest.raises(DataError) as caught:
        torchvision_file("resnet18", "imagenet1k_v1")
    assert str(caught.value) == (
        "weights 'imagenet1k_v1' of resnet18: download.pytorch.org cannot be reached - "
        f"fetch {URL} and put it as {hub}"
    )


def test_a_download_that_fails_names_the_file_and_its_place(hub, monkeypatch):
    def fail(*arguments, **options):
        raise URLError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", fail)
    with pytest.raises(DataError) as caught:
        torchvision_file("resnet18", "imagenet1k_v1")
    assert str(caught.value) == (
        "weights 'imagenet1k_v1' of resnet18: <urlopen error no route to host> - "
        f"fetch {URL} and put it as {hub}"
    )


def test_a_damaged_file_in_the_cache_of_torch_is_refused(hub):
    hub.parent.mkdir()
    hub.write_bytes(b"half a file")
    digest = sha256(b"half a file").hexdigest()
    with pytest.raises(DataError) as caught:
        torchvision_file("resnet18", "imagenet1k_v1")
    assert str(caught.value) == (
        f"weights 'imagenet1k_v1' of resnet18: {hub} has SHA-256 {digest} - the published one "
        "begins with f37072fd - remove the file, and it is fetched again"
    )


def refusal(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        read_weights(path)
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_a_bomb_of_weights_is_refused_before_it_is_read(tmp_path):
    torch.save(TENSORS, tmp_path / "w.pt")
    with (
        zipfile.ZipFile(tmp_path / "w.pt") as honest,
        zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for name in honest.namelist():
            bomb.writestr(name, honest.read(name) + bytes(10_000_000))
    assert refusal(tmp_path / "bomb.pt") == (
        f"weights '{tmp_path}/bomb.pt' cannot be read: the record 'w/data.pkl' is compressed, "
        "which torch never does - save the state dict again, or as .safetensors"
    )


@pytest.mark.parametrize("name", ["w.pt", "w.pth", "w.bin"])
def test_a_plain_pickle_that_runs_code_is_refused(name, tmp_path):
    trace = tmp_path / "trace"
    path = tmp_path / name
    command = f"touch {trace}".encode()
    path.write_bytes(b"\x80\x02cposix\nsystem\nU" + bytes([len(command)]) + command + b"\x85R.")
    assert "cannot be read as tensors and plain data alone" in refusal(path)
    assert not trace.exists()


def safetensors(header: bytes, content: bytes = b"", size: int | None = None) -> bytes:
    return (len(header) if size is None else size).to_bytes(8, "little") + header + content


ENTRY = '{"x": {"dtype": "%s", "shape": %s, "data_offsets": %s}}'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        safetensors(b"{}", size=1 << 62),
        safetensors(b"{}", size=99_000_000),
        safetensors((ENTRY % ("F32", "[1000000000000]", "[0, 4000000000000]")).encode(), b"1234"),
        safetensors((ENTRY % ("F32", "[1]", "[4, 0]")).encode(), b"1234"),
        safetensors((ENTRY % ("F32", "[4294967296, 4294967296, 4]", "[0, 4]")).encode(), b"1234"),
        safetensors((ENTRY % ("EVIL", "[1]", "[0, 4]")).encode(), b"1234"),
        safetensors(b"[" * 50_000),
        safetensors(b"\xff" * 100),
    ],
    ids=[
        "empty", "header beyond 64 bits", "long header", "tensor beyond the file", "backwards",
        "overflow", "no type", "nested", "no text",
    ],
)  # fmt: skip
def test_safetensors_that_lie_are_refused_in_one_line(content, tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    found = refusal(path)
    assert found.startswith(f"weights '{path}' cannot be read (SafetensorError: ")
    assert found.endswith(") - expected a file in the format of safetensors")
