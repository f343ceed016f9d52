"""Counts bytes on the wire: the one way to see from outside whether a message was compressed."""

import asyncio


class Meter:
    """A TCP relay in front of a server on this machine. Counters are in bytes, over all connections."""

    def __init__(self):
        self.received = 0  # from clients
        self.sent = 0  # to clients

    async def open(self, server_port):
        """Starts to relay to `server_port`; returns the port that clients connect to."""
        self._server_port = server_port
        self._listener = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        return self._listener.sockets[0].getsockname()[1]

    async def _relay(self, client_reader, client_writer):
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:
            client_writer.close()
            return
        await asyncio.gather(
            self._copy(client_reader, server_writer, "received"),
            self._copy(server_reader, client_writer, "sent"),
        )

    async def _copy(self, reader, writer, counter):
        try:
            while chunk := await reader.read(256 * 1024):
                setattr(self, counter, getattr(self, counter) + len(chunk))
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
