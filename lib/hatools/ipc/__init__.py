"""Inter-process communication over UNIX sockets inside one node.

``frames`` (bytes to payloads), ``codec`` (payloads to messages) and ``messages`` (the words) are
pure; ``server``, ``client`` (asyncio) and ``blocking`` (commands) own the sockets; ``clients``
has one typed caller per daemon.
"""
