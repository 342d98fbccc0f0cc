"""The groups of a user, for access control lists. I/O: reads the user database."""


def groups_of(user: str) -> tuple[str, ...]:
    """Return the names of the groups that list a user, or that are its primary group."""
    import grp
    import pwd

    if not user:
        return ()
    try:
        primary = pwd.getpwnam(user).pw_gid
    except KeyError:
        primary = -1
    return tuple(sorted(group.gr_name for group in grp.getgrall() if user in group.gr_mem or group.gr_gid == primary))
