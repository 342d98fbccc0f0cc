"""Devices: what they can fence, who registered them, how many actions they take."""

from hatools.agents.metadata import Action, AgentMetadata
from hatools.daemons.stonithd.configuration import DeviceConfig
from hatools.daemons.stonithd.devices import ActionQueue, Device, DeviceTable, HostCheck, Verdict

LISTS = AgentMetadata("fence_x", actions=(Action("list"), Action("status"), Action("reboot"), Action("on")))
STATUS_ONLY = AgentMetadata("fence_x", actions=(Action("status"), Action("off")))
NOTHING = AgentMetadata("fence_x", actions=(Action("off"),))


def device(metadata: AgentMetadata = LISTS, **parameters: str) -> Device:
    return Device(DeviceConfig("f", "fence_x", parameters), metadata)


def test_how_targets_are_known_follows_from_parameters_and_abilities() -> None:
    assert device(pcmk_host_list="a").host_check() is HostCheck.STATIC
    assert device(pcmk_host_map="a:1").host_check() is HostCheck.STATIC
    assert device().host_check() is HostCheck.LIST
    assert device(STATUS_ONLY).host_check() is HostCheck.STATUS
    assert device(NOTHING).host_check() is HostCheck.NONE
    assert device(pcmk_host_list="a", pcmk_host_check="none").host_check() is HostCheck.NONE


def test_a_static_list_and_map_name_the_targets() -> None:
    both = device(pcmk_host_list="n1", pcmk_host_map="n2:7")
    assert [both.can_fence(name, 0.0) for name in ("n1", "N2", "n3")] == [Verdict.YES, Verdict.YES, Verdict.NO]
    assert (both.plug("n2"), both.plug("N2"), both.plug("n1")) == ("7", "7", "n1")


def test_an_unknown_list_has_to_be_asked_for() -> None:
    assert device().can_fence("n1", 0.0) is Verdict.ASK_LIST


def test_a_list_that_names_the_target_is_believed_however_old_it_is() -> None:
    known = device()
    known.listed, known.listed_at = ("n1",), 0.0
    assert known.can_fence("n1", 10_000.0) is Verdict.YES


def test_a_list_that_does_not_name_the_target_is_believed_for_a_minute() -> None:
    known = device()
    known.listed, known.listed_at = ("n1",), 0.0
    assert [known.can_fence("n2", now) for now in (59.0, 61.0)] == [Verdict.NO, Verdict.ASK_LIST]


def test_a_status_has_to_be_asked_and_is_kept_for_a_while() -> None:
    unknown = device(STATUS_ONLY)
    assert unknown.can_fence("n1", 0.0) is Verdict.ASK_STATUS
    unknown.statuses["n1"] = (True, 0.0)
    assert [unknown.can_fence("n1", now) for now in (59.0, 61.0)] == [Verdict.YES, Verdict.ASK_STATUS]


def test_an_agent_without_reboot_is_asked_to_switch_off() -> None:
    assert (device(STATUS_ONLY).effective_action("reboot"), device().effective_action("reboot")) == ("off", "reboot")


def test_an_offer_tells_what_the_operation_may_need() -> None:
    offer = device(pcmk_off_timeout="5s", pcmk_delay_max="3s").offer("off", "n1")
    assert (offer.timeout_ms, offer.delay_ms, offer.off_on, offer.required) == (5000, 3000, (5000, 60_000), False)


def test_an_agent_with_automatic_unfencing_is_required_for_on() -> None:
    automatic = AgentMetadata("fence_x", actions=(Action("on", automatic=True, on_target=True), Action("off")))
    assert device(automatic).offer("on", "n1").required
    assert device(automatic).offer("on", "n1").on_target
    assert not device(automatic).offer("off", "n1").required


def test_devices_of_the_cib_come_and_go_with_it() -> None:
    table = DeviceTable()
    a, b = DeviceConfig("a", "fence_x", {}), DeviceConfig("b", "fence_x", {})
    assert [d.name for d in table.configure({"a": a, "b": b})[0]] == ["a", "b"]
    assert table.configure({"a": a, "b": b}) == ([], [])
    assert table.configure({"a": a}) == ([], ["b"])
    changed, gone = table.configure({"a": DeviceConfig("a", "fence_x", {"ip": "2"})})
    assert ([d.name for d in changed], gone) == (["a"], [])


def test_a_device_registered_by_hand_as_well_stays_until_both_let_go() -> None:
    table = DeviceTable()
    config = DeviceConfig("a", "fence_x", {})
    table.configure({"a": config})
    assert table.register(config) is None
    assert table.configure({}) == ([], [])
    assert table.deregister("a")
    assert table.get("a") is None


def test_what_the_cib_says_stays_in_force_against_what_is_registered_by_hand() -> None:
    table = DeviceTable()
    table.configure({"a": DeviceConfig("a", "fence_x", {"ip": "1"})})
    table.register(DeviceConfig("a", "fence_x", {"ip": "2"}))
    assert table.find("a").config.parameters == {"ip": "1"}
    assert not table.deregister("a")


def test_a_device_does_one_action_at_a_time_and_fencing_comes_first() -> None:
    queue = ActionQueue(1)
    assert queue.add(1, urgent=False) == [1]
    assert queue.add(2, urgent=False) == []
    assert queue.add(3, urgent=True) == []
    assert queue.remove(1) == [3]
    assert queue.remove(2) == []
    assert queue.remove(3) == []
    assert queue.idle


def test_a_limit_can_be_higher_or_absent() -> None:
    two = ActionQueue(2)
    assert [two.add(job, urgent=True) for job in (1, 2, 3)] == [[1], [2], []]
    endless = ActionQueue(None)
    assert [endless.add(job, urgent=True) for job in (1, 2, 3)] == [[1], [2], [3]]
