"""What can be done to a CIB. Pure."""

from enum import StrEnum


class CibOperation(StrEnum):
    """The words of ``cib_op`` in logs and notifications."""

    CREATE = "cib_create"
    MODIFY = "cib_modify"
    REPLACE = "cib_replace"
    DELETE = "cib_delete"
    DELETE_ALL = "cib_delete_alt"
    ERASE = "cib_erase"
    BUMP = "cib_bump"
    PATCH = "cib_apply_diff"
    UPGRADE = "cib_upgrade"
    SYNC = "cib_sync"
    NOOP = "noop"
