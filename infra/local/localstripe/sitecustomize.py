"""Makes localstripe listen on this machine only, and write no file. localstripe has no settings for that.

Python reads this file before it runs localstripe, because supervisord.conf puts this directory on its path. localstripe is
a separate program under the GPL. Nothing here imports it.
"""

import builtins
import os
import pickle
import socket

FILE = "localstripe.pickle"


class Socket(socket.socket):
    """A socket that binds to 127.0.0.1 when the program asks for all addresses."""

    def __init__(self, family: int = -1, *args, **kwargs) -> None:
        super().__init__(socket.AF_INET if family == socket.AF_INET6 else family, *args, **kwargs)

    def bind(self, address) -> None:
        """Binds the socket."""
        super().bind(("127.0.0.1", address[1]) if address[0] == "::" else address)


def open_elsewhere(file, *args, really=builtins.open, **kwargs):
    """`open`, but the file in which localstripe keeps its data is /dev/null."""
    is_kept = isinstance(file, str) and os.path.basename(file) == FILE
    return really(os.devnull if is_kept else file, *args, **kwargs)


socket.socket = Socket
builtins.open = open_elsewhere
# localstripe writes all its data after each change.
pickle.dump = lambda *args, **kwargs: None
