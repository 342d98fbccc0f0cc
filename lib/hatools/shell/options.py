"""Names and defaults of the cluster's properties, in the order in which the daemons list them. Pure."""

from hatools.values.options import CLUSTER_OPTIONS, default_of

# Set by the cluster itself; known although no daemon describes them.
UNDESCRIBED = ("dc-version", "cluster-infrastructure", "last-lrm-refresh", "cluster-name")


def property_names() -> list[str]:
    """Return the names of all properties that have a meaning."""
    return list(CLUSTER_OPTIONS)


def property_default(name: str) -> str | None:
    """Return a property's default; None if it has none."""
    return default_of(name)
