"""A TCP proxy that cuts or holds a connection after a number of bytes."""
import os
import select
import socket
import struct
import threading

UP, DOWN = "up", "down"     # from the client to the server, and back


class Proxy:
    """Proxy(server, cut=(UP, 100000)) forwards exactly so many bytes in that direction, then ends both connections, with a reset or
    (reset=False) in order. Proxy(server, hold=(DOWN, 100000)) stops reading both sides there, until release(). Proxy(server,
    stall=(DOWN, 100000)) stops only that direction there: what the other one carries then is what a side has under way without an answer."""

    def __init__(self, test, server, cut=None, hold=None, reset=True, stall=None):
        self.server, self.cut, self.hold, self.reset, self.stall = server, cut, hold, reset, stall
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(16)
        self.port = self.listener.getsockname()[1]
        self.forwarded = {UP: 0, DOWN: 0}
        self.reached = threading.Event()        # the cut or the hold came into effect
        self.released = threading.Event()
        self.wake, self.stopper = os.pipe()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()
        test.at_end(self.stop)

    def release(self):
        self.released.set()

    def stop(self):
        os.write(self.stopper, b"x")
        self.released.set()
        self.thread.join()
        self.listener.close()
        os.close(self.wake)
        os.close(self.stopper)

    def work(self):
        """One connection after the other: nobody needs two at once."""
        while True:
            if self.wake in select.select([self.listener, self.wake], [], [])[0]:
                return
            client = self.listener.accept()[0]
            try:
                server = socket.create_connection((self.server.host, self.server.port))
            except OSError:
                client.close()
                continue
            goes_on = self.serve({UP: (client, server), DOWN: (server, client)})
            for s in (client, server):
                s.close()
            if not goes_on:
                return

    def serve(self, ways):
        self.forwarded = {UP: 0, DOWN: 0}
        if self.cut and self.cut[1] == 0:
            return self.end(ways)
        opened = {UP, DOWN}
        while opened:
            stalled = self.stalled()
            ready = select.select([ways[w][0] for w in opened if w != stalled] + [self.wake], [], [], 0.05 if stalled else None)[0]
            if self.wake in ready:
                return False
            for way in list(opened):
                source, sink = ways[way]
                if source not in ready:
                    continue
                try:
                    data = source.recv(self.room(way))
                    sink.sendall(data)
                except OSError:
                    return True
                self.forwarded[way] += len(data)
                if not data:
                    opened.discard(way)
                    try:
                        sink.shutdown(socket.SHUT_WR)
                    except OSError:
                        return True
                if self.cut and self.forwarded[self.cut[0]] >= self.cut[1]:
                    return self.end(ways)
                if self.hold and not self.released.is_set() and self.forwarded[self.hold[0]] >= self.hold[1]:
                    self.reached.set()
                    self.released.wait()
                    if select.select([self.wake], [], [], 0)[0]:
                        return False
        return True

    def stalled(self):
        """The direction that stands still now, or None."""
        if not self.stall or self.released.is_set() or self.forwarded[self.stall[0]] < self.stall[1]:
            return None
        self.reached.set()
        return self.stall[0]

    def room(self, way):
        for limit in (self.cut, None if self.released.is_set() else self.stall, None if self.released.is_set() else self.hold):
            if limit and limit[0] == way:
                return max(1, min(65536, limit[1] - self.forwarded[way]))
        return 65536

    def end(self, ways):
        self.reached.set()
        for source, _ in ways.values():
            if self.reset:
                source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                try:
                    source.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
        if not self.reset:      # what still comes is taken and dropped, so that the end stays an orderly one
            left = [source for source, _ in ways.values()]
            while left:
                for source in select.select(left + [self.wake], [], [], 5)[0] or left[:]:
                    if source == self.wake:
                        return False
                    try:
                        if not source.recv(65536):
                            left.remove(source)
                    except OSError:
                        left.remove(source)
        return True
