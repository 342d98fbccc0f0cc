"""Inter-process communication over UNIX sockets inside one node. Empty: import the modules.

``frames`` (bytes to payloads), ``codec`` (payloads to messages), ``rights`` and ``messages`` (the words) are pure;
``server``, ``client`` (asyncio), ``blocking`` (commands) and ``brief`` (one request, nothing imported) own the sockets;
``clients`` has typed callers. ``stream`` and ``cluster_tls`` carry the same frames to other nodes.
"""
