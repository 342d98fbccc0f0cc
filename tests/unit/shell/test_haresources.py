import pytest

from hatools.shell.haresources import STAYING, import_haresources
from hatools.values.errors import ConfigError


def lines_of(text: str, **more: str) -> list[str]:
    return import_haresources(text, **more).lines[:-1]


def test_a_line_becomes_a_group_with_a_preferred_node() -> None:
    assert lines_of("node1 10.0.0.170 Filesystem::/dev/sda1::/data1::ext2 apache::/etc/web.conf\n") == [
        "primitive ip-10.0.0.170 ocf:heartbeat:IPaddr2 params ip=10.0.0.170 op monitor interval=10s",
        "primitive fs-data1 ocf:heartbeat:Filesystem params device=/dev/sda1 directory=/data1 fstype=ext2 "
        "op monitor interval=10s",
        "primitive apache-etc-web.conf ocf:heartbeat:apache params configfile=/etc/web.conf op monitor interval=10s",
        "group group-node1 ip-10.0.0.170 fs-data1 apache-etc-web.conf",
        "location prefer-group-node1 group-node1 100: node1",
    ]


@pytest.mark.parametrize(
    ("resource", "params"),
    [
        ("10.0.0.1", "ip=10.0.0.1"),
        ("10.0.0.1/24", "ip=10.0.0.1 cidr_netmask=24"),
        ("10.0.0.1/255.255.255.0", "ip=10.0.0.1 cidr_netmask=24"),
        ("IPaddr::10.0.0.1/24/eth0", "ip=10.0.0.1 cidr_netmask=24 nic=eth0"),
        ("IPaddr::10.0.0.1/24/10.0.0.255", "ip=10.0.0.1 cidr_netmask=24 broadcast=10.0.0.255"),
        (
            "IPaddr2::10.0.0.1/24/eth0:1/10.0.0.255",
            "ip=10.0.0.1 cidr_netmask=24 nic=eth0 iflabel=1 broadcast=10.0.0.255",
        ),
    ],
)
def test_addresses_in_all_their_forms(resource: str, params: str) -> None:
    address, location = lines_of(f"node1 {resource}\n")

    assert address == f"primitive ip-10.0.0.1 ocf:heartbeat:IPaddr2 params {params} op monitor interval=10s"
    assert location == "location prefer-ip-10.0.0.1 ip-10.0.0.1 100: node1"


def test_a_backslash_continues_a_line_and_comments_are_skipped() -> None:
    text = "# resources\nnode1 mysql \\\n      apache # the web\n\nnode2 postfix\n"

    assert [line for line in lines_of(text) if line.startswith(("group", "location"))] == [
        "group group-node1 mysql apache",
        "location prefer-group-node1 group-node1 100: node1",
        "location prefer-postfix postfix 100: node2",
    ]


def test_other_names_are_init_scripts() -> None:
    found = import_haresources("node1 mysql::fast\n")

    assert found.lines[0] == "primitive mysql lsb:mysql op monitor interval=10s"
    assert "arguments fast" in found.notes[0]


def test_drbd_becomes_a_promotable_clone_that_the_rest_follows() -> None:
    lines = lines_of("node1 drbddisk::r0 Filesystem::/dev/drbd0::/data::ext4 apache\n")

    assert "ms ms-drbd-r0 drbd-r0 meta master-max=1 master-node-max=1 clone-max=2 clone-node-max=1 notify=true" in lines
    assert "colocation group-node1-on-drbd-r0 inf: group-node1 ms-drbd-r0:Master" in lines
    assert "order drbd-r0-before-group-node1 Mandatory: ms-drbd-r0:promote group-node1:start" in lines


def test_the_same_resource_twice_gets_two_ids() -> None:
    lines = lines_of("node1 apache\nnode2 apache\n")

    assert [line.split()[1] for line in lines if line.startswith("primitive")] == ["apache", "apache-2"]


@pytest.mark.parametrize(("word", "stickiness"), [("on", 0), ("legacy", 0), ("off", STAYING), ("no", STAYING)])
def test_auto_failback_becomes_stickiness(word: str, stickiness: int) -> None:
    found = import_haresources("node1 apache\n", auto_failback=word)

    assert found.lines[-1] == f"rsc_defaults rsc-options: resource-stickiness={stickiness}"


def test_values_with_odd_characters_are_quoted() -> None:
    lines = lines_of("node1 MailTo::root@localhost::web;down\n")

    assert 'params email=root@localhost subject="web;down" op' in lines[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("node1 IPaddr\n", "line 1: IPaddr takes one argument"),
        ("# x\nnode1 IPaddr::nowhere\n", "line 2: 'nowhere' is no address"),
        ("node1 10.0.0.1/33.44.55.66\n", "is no netmask"),
        ("node1 Filesystem::/dev/sda1\n", "needs a device and a directory"),
        ("node1 IPsrcaddr::1.2.3.4::x\n", "arguments at most: x is too much"),
        ("no/de 10.0.0.1\n", "is no node name"),
        ("node1 we;ird\n", "'we;ird' is no resource"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_line(text: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        import_haresources(text)


def test_the_lack_of_fencing_is_said() -> None:
    assert any("fencing" in note for note in import_haresources("node1 apache\n").notes)
