"""A link of 200 ms: a TCP proxy that counts turns, so that a test can tell how long work takes there without a clock."""
import os
import select
import socket
import threading

from .proxy import DOWN, UP

ONE_WAY = 0.1       # seconds


class Link:
    """Holds what comes from either side until both have been silent for a while, because they wait for each other; then everything that was
    held is delivered, which is one turn. So a turn is one way across the link, however slow this machine is, and `turns` is what
    the link's length costs."""

    def __init__(self, test, server):
        self.server, self.turns = server, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.wake, self.stopper = os.pipe()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()
        test.at_end(self.stop)

    def stop(self):
        os.write(self.stopper, b"x")
        self.thread.join()
        self.listener.close()
        os.close(self.wake)
        os.close(self.stopper)

    def work(self):
        """One connection after the other: nobody needs two at once."""
        while self.wake not in select.select([self.listener, self.wake], [], [])[0]:
            client = self.listener.accept()[0]
            server = socket.create_connection((self.server.host, self.server.port))
            for s in (client, server):
                s.setblocking(False)
            self.turns = 0
            try:
                self.serve({UP: Way(client, server), DOWN: Way(server, client)})
            except OSError:
                pass
            for s in (client, server):
                s.close()

    def serve(self, ways):
        ways = list(ways.values())
        while not all(w.ended for w in ways):
            held = any(w.held or w.ending for w in ways)
            ready = select.select([w.source for w in ways if not w.heard_end] + [self.wake], [], [], ONE_WAY if held else None)[0]
            if self.wake in ready:
                return
            if ready:
                for w in ways:
                    w.hear(ready)
                continue
            self.turns += 1
            for w in ways:
                w.depart()
            while any(w.moving for w in ways):
                ready = select.select([w.source for w in ways if not w.heard_end] + [self.wake], [w.sink for w in ways if w.moving], [])
                if self.wake in ready[0]:
                    return
                for w in ways:      # a side may have to be heard before it listens
                    w.hear(ready[0])
                    w.say(ready[1])


class Way:
    """What comes from `source` is held, then moves to `sink`."""

    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self.held, self.moving = bytearray(), memoryview(b"")
        self.heard_end = self.ending = self.last = self.ended = False

    def hear(self, ready):
        if self.source not in ready:
            return
        data = self.source.recv(1 << 20)
        self.held += data
        if not data:
            self.heard_end = self.ending = True

    def depart(self):
        self.moving, self.held = memoryview(bytes(self.held)), bytearray()
        self.last, self.ending = self.last or self.ending, False
        self.rest()

    def say(self, ready):
        if self.moving and self.sink in ready:
            self.moving = self.moving[self.sink.send(self.moving):]
            self.rest()

    def rest(self):
        if self.last and not self.moving and not self.ended:
            self.ended = True
            self.sink.shutdown(socket.SHUT_WR)
