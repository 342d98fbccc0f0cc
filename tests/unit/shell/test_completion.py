"""What the Tab key suggests."""

from types import SimpleNamespace
from typing import cast

import pytest

from hatools.shell.completion import suggest
from hatools.shell.levels.root import Root
from hatools.shell.session import Session

from .workspaces import workspace

TEXT = """
node 1: one attributes rack=r1
primitive web ocf:pacemaker:Dummy params fake=1
primitive one-of-two ocf:pacemaker:Dummy
primitive two-of-two ocf:pacemaker:Dummy
group both one-of-two two-of-two
role admin write cib
primitive db ocf:pacemaker:Stateful
clone dbs db meta promotable=true
"""


def _suggested(line: str) -> list[str]:
    copy = workspace(TEXT)
    configuration = SimpleNamespace(workspace=copy, is_loaded=True, load=lambda: True, ensure_loaded=lambda: True)
    session = cast(Session, SimpleNamespace(configuration=configuration, files_from=lambda prefix: [prefix + "x"]))
    return [suggestion.text for suggestion in suggest(session, Root, line)]


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("", ["configure", "resource", "node", "status"]),
        ("conf", ["configure"]),
        ("resource st", ["start", "status", "stop"]),
        ("configure prim", ["primitive"]),
        ("resource stop ", ["web", "db", "dbs"]),
        ("resource stop w", ["web"]),
        ("node standby ", ["one"]),
        ("configure delete d", ["db", "dbs"]),
        ("configure group g w", ["web"]),
        ("configure set ", ["web.", "db."]),
        ("configure set web.", ["web.fake"]),
        ("configure modgroup both remove ", ["one-of-two", "two-of-two"]),
        ("configure modgroup both add web before ", ["one-of-two", "two-of-two"]),
        ("configure property no-quorum-policy=", ["no-quorum-policy=stop", "no-quorum-policy=freeze"]),
        ("configure property stonith-enabled=true no-", ["no-quorum-policy="]),
        ("configure rsc_defaults target-", ["target-role="]),
        ("configure op_defaults on-fail=", ["on-fail=block", "on-fail=fence"]),
        ("configure clone c web meta promotable=", ["promotable=true", "promotable=false"]),
        ("configure location l web 100: ", ["one"]),
        ("configure location l web rule 100: #uname eq ", ["one"]),
        ("configure colocation c ", ["inf:", "-inf:"]),
        ("configure order o Mandatory: web db:", ["db:start", "db:promote"]),
        ("configure rsc_ticket t T: web loss-", ["loss-policy=fence"]),
        ("configure role r ", ["read", "write", "deny"]),
        ("configure acl_target u ", ["admin"]),
        ("configure fencing_topology ", ["one:"]),
        ("configure tag t w", ["web"]),
        ("configure commit ", ["force", "replace", "ours", "theirs"]),
        ("configure show type:p", ["type:primitive"]),
        ("configure show related:w", ["related:web"]),
        ("configure erase ", ["nodes"]),
        ("resource meta web ", ["set", "delete", "show"]),
        ("resource meta web set target-role ", ["Stopped", "Started"]),
        ("resource failcount web show ", ["one"]),
        ("resource move web ", ["one"]),
        ("node attribute one set ", ["rack"]),
        ("maintenance on ", ["web", "dbs"]),
        ("cibstatus node one ", ["online", "offline", "unclean"]),
        ("site ticket ", ["grant", "revoke"]),
        ("configure cd ", ["..", "ra"]),
        ("configure load update ", ["x"]),
    ],
)
def test_the_last_word_is_completed(line: str, some: list[str]) -> None:
    assert set(some) <= set(_suggested(line))


@pytest.mark.parametrize("line", ["nonsense ", "configure show 'open"])
def test_nothing_is_suggested_behind_what_is_not_understood(line: str) -> None:
    assert _suggested(line) == []
