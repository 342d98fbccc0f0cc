"""Which node a command runs on or for. I/O."""

import os
from collections.abc import Mapping

from hatools.ipc.clients.cib import cib_file_path

_META = "OCF_RESKEY_CRM_meta_"


def node_name_from_agent(environ: Mapping[str, str]) -> str | None:
    """Return the node that the cluster told the calling agent about; None outside an agent.

    A bundled resource may ask for its attributes to be kept on the physical host.
    """
    host = environ.get(f"{_META}physical_host")
    if host and environ.get(f"{_META}container_attribute_target", "").lower() == "host":
        return host
    return environ.get(f"{_META}on_node")


def local_node_name(environ: Mapping[str, str]) -> str:
    """Return the local node's name: the cluster knows it; with a CIB file it is the host's name.

    Raises:
        DisconnectedError: no cluster runs here.
    """
    if cib_file_path(environ) is not None:
        return os.uname().nodename
    from hatools.ipc.clients.crmd import local_node

    return local_node()
