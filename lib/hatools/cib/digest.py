"""Digests of operation parameters: how the cluster notices that a definition changed. Pure."""

from collections.abc import Iterable, Mapping

from hatools.values.xmltext import escape_attribute

_FILTERED = frozenset(("id", "crm_feature_set", "op-digest", "on_node", "on_node_uuid", "pcmk_external_ip"))


def filter_for_digest(parameters: Mapping[str, str]) -> dict[str, str]:
    """Leave out what is no parameter of the agent; a recurring operation's timeout counts."""
    interval = parameters.get("CRM_meta_interval", "0")
    kept = {n: v for n, v in parameters.items() if n not in _FILTERED and not n.startswith("CRM_meta_")}
    if interval.strip().lstrip("+")[:1] not in ("", "0", "-") and "CRM_meta_timeout" in parameters:
        kept["CRM_meta_timeout"] = parameters["CRM_meta_timeout"]
    return kept


def operation_digest(parameters: Mapping[str, str]) -> str:
    """Return the digest of a table of parameters, as Pacemaker 2 writes it into the history."""
    import hashlib  # takes long, and a command that only shows what is configured computes no digest

    attributes = "".join(f' {name}="{escape_attribute(value)}"' for name, value in sorted(parameters.items()))
    text = f" <parameters{attributes}/>\n"
    return hashlib.md5(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def without(parameters: Mapping[str, str], names: str | None) -> dict[str, str]:
    """Leave out parameters that a space separated list names."""
    listed = set((names or "").split())
    return {n: v for n, v in parameters.items() if n not in listed}


def only(parameters: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Keep only the named parameters."""
    kept = set(names)
    return {n: v for n, v in parameters.items() if n in kept}
