"""Read by Python before it runs localstripe (supervisord.conf puts this directory on its path), which has
no settings for these: it is to listen on this machine only, and to leave no file behind.

localstripe is a program of its own, under the GPL; nothing here imports it.
"""

import builtins
import os
import pickle
import socket

FILE = "localstripe.pickle"


class Socket(socket.socket):
    """A socket that listens on 127.0.0.1 where it is to listen everywhere."""

    def __init__(self, family: int = -1, *args, **kwargs) -> None:
        super().__init__(socket.AF_INET if family == socket.AF_INET6 else family, *args, **kwargs)

    def bind(self, address) -> None:
        """Binds it."""
        super().bind(("127.0.0.1", address[1]) if address[0] == "::" else address)


def open_elsewhere(file, *args, really=builtins.open, **kwargs):
    """`open`, but what localstripe keeps goes nowhere."""
    is_kept = isinstance(file, str) and os.path.basename(file) == FILE
    return really(os.devnull if is_kept else file, *args, **kwargs)


socket.socket = Socket
builtins.open = open_elsewhere
# It would write all that it has after each change.
pickle.dump = lambda *args, **kwargs: None
