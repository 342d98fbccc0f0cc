"""The words for what an OCF agent's exit status means. Pure.

Texts are those of Pacemaker 2.1.5 (``services_ocf_exitcode_str``); the numbers from 194 on
were used by older versions and may still be in a history.
"""

_TEXTS = {
    0: "ok",
    1: "error",
    2: "invalid parameter",
    3: "unimplemented feature",
    4: "insufficient privileges",
    5: "not installed",
    6: "not configured",
    7: "not running",
    8: "promoted",
    9: "promoted (failed)",
    190: "OCF_DEGRADED",
    191: "promoted (degraded)",
    194: "interrupted by signal (DEPRECATED STATUS)",
    195: "not supported (DEPRECATED STATUS)",
    196: "pending (DEPRECATED STATUS)",
    197: "cancelled (DEPRECATED STATUS)",
    198: "timeout (DEPRECATED STATUS)",
    199: "other error (DEPRECATED STATUS)",
}


def ocf_result_text(rc: int) -> str:
    """Return the words for an agent's exit status."""
    return _TEXTS.get(rc, "unknown")
