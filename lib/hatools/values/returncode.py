"""Return codes of Pacemaker's functions, which tools and logs show by number or words. Pure.

``crm_error`` explains three families: exit statuses (``values.exitcode``), return codes (negative numbers of
Pacemaker's own beside the system's error numbers) and the older positive codes above 200.
"""

import errno
import os

_RETURN_CODES = {
    -1033: ("pcmk_rc_duplicate_id", "Two or more XML elements have the same ID"),
    -1032: ("pcmk_rc_unpack_error", "Unable to parse CIB XML"),
    -1031: ("pcmk_rc_invalid_transition", "Cluster simulation produced invalid transition"),
    -1030: ("pcmk_rc_graph_error", "Error writing graph file"),
    -1029: ("pcmk_rc_dot_error", "Error writing dot(1) file"),
    -1028: ("pcmk_rc_underflow", "Value too small to be stored in data type"),
    -1027: ("pcmk_rc_no_input", "Input file not available"),
    -1026: ("pcmk_rc_no_output", "Output message produced no output"),
    -1025: ("pcmk_rc_after_range", "Result occurs after given range"),
    -1024: ("pcmk_rc_within_range", "Result occurs within given range"),
    -1023: ("pcmk_rc_before_range", "Result occurs before given range"),
    -1022: ("pcmk_rc_undetermined", "Result undetermined"),
    -1021: ("pcmk_rc_op_unsatisfied", "Not applicable under current conditions"),
    -1020: ("pcmk_rc_ipc_pid_only", "IPC server process is active but not accepting connections"),
    -1019: ("pcmk_rc_ipc_unresponsive", "IPC server is unresponsive"),
    -1018: ("pcmk_rc_ipc_unauthorized", "IPC server is blocked by unauthorized process"),
    -1017: ("pcmk_rc_no_quorum", "Operation requires quorum"),
    -1016: ("pcmk_rc_schema_validation", "Update does not conform to the configured schema"),
    -1015: ("pcmk_rc_schema_unchanged", "Schema is already the latest available"),
    -1014: ("pcmk_rc_transform_failed", "Schema transform failed"),
    -1013: ("pcmk_rc_old_data", "Update was older than existing configuration"),
    -1012: ("pcmk_rc_diff_failed", "Application of update diff failed"),
    -1011: ("pcmk_rc_diff_resync", "Application of update diff failed, requesting full refresh"),
    -1010: ("pcmk_rc_cib_modified", "On-disk configuration was manually modified"),
    -1009: ("pcmk_rc_cib_backup", "Could not archive previous configuration"),
    -1008: ("pcmk_rc_cib_save", "Could not save new configuration to disk"),
    -1007: ("pcmk_rc_cib_corrupt", "Could not parse on-disk configuration"),
    -1006: ("pcmk_rc_multiple", "Resource active on multiple nodes"),
    -1005: ("pcmk_rc_node_unknown", "Node not found"),
    -1004: ("pcmk_rc_already", "Already in requested state"),
    -1003: ("pcmk_rc_bad_nvpair", "Bad name/value pair given"),
    -1002: ("pcmk_rc_unknown_format", "Unknown output format"),
    -1001: ("pcmk_rc_error", "Error"),
}

_LEGACY_CODES = {
    201: ("pcmk_err_generic", "Error"),
    202: ("pcmk_err_no_quorum", "Operation requires quorum"),
    203: ("pcmk_err_schema_validation", "Update does not conform to the configured schema"),
    204: ("pcmk_err_transform_failed", "Schema transform failed"),
    205: ("pcmk_err_old_data", "Update was older than existing configuration"),
    206: ("pcmk_err_diff_failed", "Application of update diff failed"),
    207: ("pcmk_err_diff_resync", "Application of update diff failed, requesting full refresh"),
    208: ("pcmk_err_cib_modified", "On-disk configuration was manually modified"),
    209: ("pcmk_err_cib_backup", "Could not archive previous configuration"),
    210: ("pcmk_err_cib_save", "Could not save new configuration to disk"),
    212: ("pcmk_err_cib_corrupt", "Could not parse on-disk configuration"),
    213: ("pcmk_err_multiple", "Resource active on multiple nodes"),
    214: ("pcmk_err_node_unknown", "Node not found"),
    215: ("pcmk_err_already", "Already in requested state"),
    216: ("pcmk_err_bad_nvpair", "Bad name/value pair given"),
    217: ("pcmk_err_unknown_format", "Unknown output format"),
}

_LEGACY_NAMELESS = {211: "Schema is already the latest available"}

_UNNAMED = frozenset({48, 50, 55, 59, 68, 69, 73, 109, 118, 119, *range(130, 134)})
"""System errors that the original knows no names for, and so does not list."""

_ALIASES = {errno.EDEADLK: "EDEADLOCK", errno.EOPNOTSUPP: "EOPNOTSUPP"}


def system_error_name(number: int) -> str | None:
    """Return the name of a system error (``ENOENT``), None if the original has none."""
    if number in _UNNAMED:
        return None
    return _ALIASES.get(number) or errno.errorcode.get(number)


def _system_error_numbers() -> list[int]:
    return [number for number in sorted(errno.errorcode) if system_error_name(number) is not None]


def describe_return_code(code: int) -> tuple[str, str]:
    """Return the name and the words for a return code (``pcmk_rc_*`` or a system error)."""
    if code == 0:
        return "pcmk_rc_ok", "OK"
    if code < 0:
        return _RETURN_CODES.get(code, ("Unknown", "Error"))
    return system_error_name(code) or "Unknown", os.strerror(min(code, 2**31 - 1))


def describe_legacy_code(code: int) -> tuple[str, str]:
    """Return the name and the words for an older code; the sign does not matter."""
    if code == -(2**31):  # has no positive counterpart in C
        return "Unknown", "Error"
    code = abs(code)
    if code in _LEGACY_CODES:
        return _LEGACY_CODES[code]
    if code in _LEGACY_NAMELESS:
        return "Unknown", _LEGACY_NAMELESS[code]
    return describe_return_code(code)


def return_codes() -> list[int]:
    """List the known return codes in ascending order."""
    return [*sorted(_RETURN_CODES), 0, *_system_error_numbers()]


def legacy_codes() -> list[int]:
    """List the known older codes in ascending order."""
    return [0, *_system_error_numbers(), *sorted(_LEGACY_CODES)]
