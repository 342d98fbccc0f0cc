"""Names of actions in history and graphs."""

import pytest

from hatools.values.opkey import (
    TransitionKey,
    format_magic,
    format_operation_key,
    parse_magic,
    parse_operation_key,
)


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("web_monitor_10000", ("web", "monitor", 10_000)),
        ("my_web_start_0", ("my_web", "start", 0)),
        ("web_migrate_to_0", ("web", "migrate_to", 0)),
        ("web_migrate_from_0", ("web", "migrate_from", 0)),
        ("db:1_pre_notify_promote_0", ("db:1", "pre_notify_promote", 0)),
        ("db_confirmed-post_notify_stop_0", ("db", "confirmed-post_notify_stop", 0)),
    ],
)
def test_a_key_is_split_and_put_together_again(key: str, parts: tuple[str, str, int]) -> None:
    assert parse_operation_key(key) == parts
    assert format_operation_key(*parts) == key


@pytest.mark.parametrize(
    "text", ["", "web", "start_0", "web_start_", "web_start_-1", "web_start_²", "w_s_" + "9" * 5000]
)
def test_what_is_no_key_is_told(text: str) -> None:
    assert parse_operation_key(text) is None


def test_a_transition_key_is_read_and_written() -> None:
    key = TransitionKey.parse("3:12:7:a-b-c")
    assert key == TransitionKey(transition=12, action=3, target_rc=7, uuid="a-b-c")
    assert str(key) == "3:12:7:a-b-c"


@pytest.mark.parametrize("text", ["", "1:2:3", "a:2:3:u"])
def test_what_is_no_transition_key_is_told(text: str) -> None:
    assert TransitionKey.parse(text) is None


def test_a_magic_is_read_and_written() -> None:
    assert parse_magic(format_magic(0, 7, "3:12:7:u")) == (0, 7, "3:12:7:u")


@pytest.mark.parametrize("text", ["", "0:7", "x:7;3:12:7:u"])
def test_what_is_no_magic_is_told(text: str) -> None:
    assert parse_magic(text) is None
