"""The configuration as a graph."""

from hatools.shell.graph import dot_source

from .workspaces import workspace

TEXT = """
node 1: one
primitive a ocf:pacemaker:Dummy
primitive b ocf:pacemaker:Dummy
primitive c ocf:pacemaker:Dummy
group g a b
location here c 100: one
order first Optional: g c
"""


def test_groups_are_frames_and_constraints_are_edges() -> None:
    lines = [line.strip() for line in dot_source(workspace(TEXT)).split("\n")]
    assert 'subgraph "cluster_g" {' in lines
    assert '"one" -> "c" [style="dashed", dir="none", label="100"];' in lines
    assert '"a" -> "c" [style="dotted", label="Optional"];' in lines
    assert lines.count("}") == 2


def test_a_persons_look_counts() -> None:
    source = dot_source(
        workspace(TEXT),
        {
            **{key: {} for key in (".", "*", "primitive", "group", "location")},
            "node": {"color": "red"},
            "optional_set": {},
        },
    )
    assert '"one" [color="red"];' in source
