"""What a lab is made of."""

import stat
from pathlib import Path

import pytest

from hatools.lab.nodes import Lab, corosync_conf, create_lab, lab_folder
from hatools.messaging.heartbeat.authkeys import read_authkeys
from hatools.messaging.heartbeat.ha_cf import read_ha_cf
from hatools.values.errors import AlreadyExistsError, InputError, NoSuchObjectError
from hatools.values.nodenumber import number_of_name

PORT = 15505


def test_a_lab_is_read_back_as_it_was_made(tmp_path: Path) -> None:
    lab = create_lab(tmp_path / "lab", 3, port=PORT)
    assert Lab.load(tmp_path / "lab") == lab
    assert [node.address for node in lab.nodes] == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]


def test_all_nodes_share_configuration_and_a_secret_key(tmp_path: Path) -> None:
    lab = create_lab(tmp_path / "lab", 2, port=PORT)
    files = [lab.directories(node) for node in lab.nodes]
    assert len({item.corosync_conf.read_text() for item in files}) == 1
    assert len({item.corosync_authkey.read_bytes() for item in files}) == 1
    assert {stat.S_IMODE(item.corosync_authkey.stat().st_mode) for item in files} == {0o400}


def test_two_nodes_get_two_node_quorum_and_three_do_not(tmp_path: Path) -> None:
    two = create_lab(tmp_path / "two", 2, port=PORT)
    three = create_lab(tmp_path / "three", 3, port=PORT)
    assert "two_node: 1" in corosync_conf(two)
    assert "two_node" not in corosync_conf(three)


@pytest.mark.parametrize("count", [0, 33])
def test_an_impossible_size_is_refused(tmp_path: Path, count: int) -> None:
    with pytest.raises(InputError, match="1 to 32 nodes"):
        create_lab(tmp_path / "lab", count, port=PORT)


def test_a_second_lab_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    create_lab(tmp_path / "lab", 1, port=PORT)
    with pytest.raises(AlreadyExistsError):
        create_lab(tmp_path / "lab", 1, port=PORT)


def test_a_missing_lab_and_a_missing_node_are_named(tmp_path: Path) -> None:
    with pytest.raises(NoSuchObjectError, match="crm lab start"):
        Lab.load(tmp_path)
    with pytest.raises(NoSuchObjectError, match="it has node1, node2"):
        create_lab(tmp_path / "lab", 2, port=PORT).node("node3")


def test_a_damaged_description_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "lab.json").write_text('{"nodes": 3')
    with pytest.raises(InputError, match="crm lab destroy --force"):
        Lab.load(tmp_path)


def test_the_folder_follows_the_environment() -> None:
    assert lab_folder({"HATOOLS_LAB": "/x/lab"}) == Path("/x/lab")
    assert lab_folder({"XDG_STATE_HOME": "/state"}) == Path("/state/hatools/lab")


def test_a_lab_in_the_heartbeat_style_has_files_that_heartbeat_would_read(tmp_path: Path) -> None:
    lab = create_lab(tmp_path / "lab", 3, port=PORT, messaging="heartbeat")

    directories = lab.directories(lab.nodes[0])
    configuration = read_ha_cf((directories.heartbeat / "ha.cf").read_text())
    keys = directories.heartbeat / "authkeys"

    assert configuration.nodes == ("node1", "node2", "node3")
    assert not configuration.warnings
    assert [medium.address for medium in configuration.media] == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    assert keys.stat().st_mode & 0o777 == 0o600
    assert read_authkeys(keys.read_text()).is_authenticated
    assert [node.id for node in lab.nodes] == [number_of_name(node.name) for node in lab.nodes]
    assert directories.defaults_file.read_text() == "HATOOLS_MESSAGING=heartbeat\n"
    assert Lab.load(tmp_path / "lab") == lab


def test_a_lab_has_no_other_styles(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="corosync, heartbeat"):
        create_lab(tmp_path / "lab", 3, port=PORT, messaging="external")
