"""The other end of a board's Ethernet cable, frame by frame: ARP, IPv4 and TCP by hand, so that a peer can misbehave as no kernel lets it.

A Wire is a network of hosts 10.0.2.x with the device on it. Each Peer is one connection of one such host, and does what its switches say. Programs reach
the device as well: what connects to 127.0.0.1:wire.port is carried by a Peer of its own (wire.carriers).
"""
import random
import select
import socket
import struct
import threading
import time

from lib.proc import Failure

DEVICE, GATEWAY = "10.0.2.15", "10.0.2.2"
MAC = b"\x02\0\0\0\0\1"                    # of all hosts but the device
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MSS = 1460
AGAIN = 1.0         # seconds, after which what was not acknowledged is sent again
PATIENCE = 60       # seconds after which a wait counts as hanging


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def packet(source, to, flags, seq, ack, window, data=b""):
    """An IPv4 packet with one TCP segment; source and to are (address, port)."""
    addresses = socket.inet_aton(source[0]) + socket.inet_aton(to[0])
    options = struct.pack(">BBH", 2, 4, MSS) if flags & SYN else b""
    head = [source[1], to[1], seq % 2**32, ack % 2**32, (5 + len(options) // 4) << 4, flags, window, 0, 0]
    length = 20 + len(options) + len(data)
    head[7] = checksum(addresses + struct.pack(">BBH", 0, 6, length) + struct.pack(">HHIIBBHHH", *head) + options + data)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, 6, 0) + addresses
    return ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:] + struct.pack(">HHIIBBHHH", *head) + options + data


class Peer:
    """One TCP connection to the device. Switches: `acks` False: acknowledges no more than it did until now; `window`: what it offers;
    `untidy`: each of its segments begins in what was sent before, comes twice, and before the one that it follows; `silent`: says nothing any
    more; `halfway`: never takes the last step of the handshake, and shows that it is there by acknowledging what was never sent."""

    def __init__(self, wire, host="10.0.2.100", acks=True, window=65535):
        self.wire, self.acks, self.window = wire, acks, window
        self.untidy = self.silent = self.halfway = False
        self.host = (host, wire.next_port())
        self.first = self.una = self.nxt = random.randrange(2**32)  # of ours: where `kept` begins, not acknowledged, not sent
        self.seen = self.told = 0           # of the device's: next expected, next as last acknowledged
        self.kept = b""                     # ours, from `first` on: some that are acknowledged, and all that are not
        self.room = MSS                     # window of the device
        self.received = b""
        self.bytes_up = self.bytes_down = 0
        self.opened = self.ended = self.dead = self.finished = self.told_end = False
        self.sent_at = time.monotonic()
        self.socket = None                  # of the program that it carries

    # ---- what a test does

    def syn(self):
        with self.wire.lock:
            self.wire.peers[self.host] = self
            self.sent_at = time.monotonic()
            self.put(SYN, self.una - 1, 0)

    def wait(self, condition, what):
        with self.wire.changed:
            if not self.wire.changed.wait_for(condition, PATIENCE):
                raise Failure("%s:%d: never came true: %s" % (self.host + (what,)))

    def open(self):
        """Calls the device until there is an answer. True: it is open."""
        self.syn()
        self.wait(lambda: self.opened or self.dead, "an answer to SYN")
        return not self.dead

    def send(self, data):
        with self.wire.lock:
            self.kept += data
            self.push()

    def finish(self):
        with self.wire.lock:
            self.finished = True
            self.push()

    def reset(self):
        with self.wire.lock:
            self.put(RST, self.nxt)
            self.dead = True

    # ---- TCP; the lock is held

    def put(self, flags, seq, ack=None, data=b""):
        if not self.silent:
            flags |= 0 if flags & SYN else ACK
            self.wire.send(packet(self.host, (DEVICE, 22), flags, seq, self.told if ack is None else ack, self.window, data))

    def push(self, again=False):
        """Sends what the device's window takes; again: from what it has not acknowledged."""
        if not self.opened or self.dead:
            return
        if again:
            self.nxt = self.una
        while True:
            at = (self.nxt - self.first) % 2**32
            n = min(len(self.kept) - at, MSS, self.room - (self.nxt - self.una) % 2**32)
            if n <= 0:
                break
            self.put_data(at, n)
            self.nxt = (self.nxt + n) % 2**32
            self.sent_at = time.monotonic()
        if self.finished and (self.nxt - self.first) % 2**32 == len(self.kept):
            self.put(FIN, self.nxt)
            self.nxt = (self.nxt + 1) % 2**32
            self.sent_at = time.monotonic()

    def put_data(self, at, n):
        if not self.untidy:
            self.put(PSH, self.nxt, data=self.kept[at:at + n])
            return
        half, before = n // 2, min(at, 100)
        for begin, end in ((at + half, at + n), (at - before, at + half), (at, at + n), (at, at + n)):
            self.put(PSH, self.first + begin, data=self.kept[begin:end])

    def take(self, flags, seq, ack, window, data):
        if self.halfway:
            return
        if flags & RST:
            self.dead = True
            return
        self.room = window
        if flags & SYN:
            if not self.opened:
                self.seen = self.told = (seq + 1) % 2**32
                self.opened = True
            self.put(0, self.nxt)
            self.push()
            return
        acknowledged = (ack - self.una) % 2**32
        if 0 < acknowledged <= (self.nxt - self.una) % 2**32:
            self.una = ack
            self.bytes_up += acknowledged
            spare = max(0, (self.una - self.first) % 2**32 - 200)
            self.kept, self.first = self.kept[spare:], (self.first + spare) % 2**32
        if seq == self.seen and (not data or self.window or not self.acks):
            self.received += data
            self.bytes_down += len(data)
            self.seen = (seq + len(data)) % 2**32
            if flags & FIN:
                self.ended = True
                self.seen = (self.seen + 1) % 2**32
        if self.acks:
            self.told = self.seen
            if data or flags & FIN:
                self.put(0, self.nxt)
        self.push()

    def tick(self):
        """SYN and data are repeated until they are acknowledged."""
        if self.silent or self.dead or time.monotonic() - self.sent_at <= AGAIN:
            return
        if self.halfway:
            self.sent_at = time.monotonic()
            self.put(0, self.una, self.una + 1)
        elif not self.opened:
            self.syn()
        elif self.una != self.nxt:
            self.push(again=True)


class Wire:
    def __init__(self, test):
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.peers = {}             # by (address, port)
        self.carriers = []          # peers of programs, in their order
        self.untidy = False         # of the carriers to come
        self.away = set()           # addresses of hosts that do not answer ARP
        self.port_number = random.randrange(1025, 30000)
        self.cable = socket.create_server(("127.0.0.1", 0))
        self.programs = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = self.programs.getsockname()[1]
        self.network = "socket,connect=127.0.0.1:%d" % self.cable.getsockname()[1]      # for QEMU
        self.machine = None         # its socket
        self.device = None          # its MAC address
        self.buffer = b""
        self.stopping = False
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()
        test.at_end(self.stop)

    def stop(self):
        self.stopping = True
        self.thread.join()
        for s in [self.cable, self.programs, self.machine] + [p.socket for p in self.carriers]:
            if s:
                s.close()

    def next_port(self):
        self.port_number += 1
        return self.port_number

    def plugged(self):
        """Waits until the device answers on the cable."""
        for _ in range(10 * PATIENCE):
            with self.changed:
                if self.machine:
                    self.send_frame(b"\xff" * 6, 0x0806, self.arp(1, b"\0" * 6, "10.0.2.100", DEVICE))
                if self.changed.wait_for(lambda: self.device, 0.1):
                    return
        raise Failure("the device does not answer ARP")

    # ---- frames

    def send_frame(self, to, kind, payload):
        frame = (to + MAC + struct.pack(">H", kind) + payload).ljust(60, b"\0")
        try:
            self.machine.sendall(struct.pack(">I", len(frame)) + frame)
        except OSError:     # the machine is off
            pass

    def send(self, payload):
        self.send_frame(self.device, 0x0800, payload)

    def arp(self, operation, mac, source, to):
        return struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation) + MAC + socket.inet_aton(source) + mac + socket.inet_aton(to)

    def take_arp(self, p):
        operation, mac, source, to = struct.unpack(">H", p[6:8])[0], p[8:14], socket.inet_ntoa(p[14:18]), socket.inet_ntoa(p[24:28])
        if source == DEVICE:
            self.device = mac
        if operation == 1 and to != DEVICE and to not in self.away:
            self.send_frame(mac, 0x0806, self.arp(2, mac, to, DEVICE))

    def take_ip(self, p):
        length, head = struct.unpack(">H", p[2:4])[0], p[0] % 16 * 4
        tcp = p[head:length]
        if p[9] != 6 or len(tcp) < 20:
            return
        source, to, seq, ack, offset, flags, window = struct.unpack(">HHIIBBH", tcp[:16])
        peer = self.peers.get((socket.inet_ntoa(p[16:20]), to))
        if peer:
            peer.take(flags, seq, ack, window, tcp[offset // 16 * 4:])

    def frames(self):
        try:
            data = self.machine.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.machine.close()
            self.machine = None
        self.buffer += data
        while len(self.buffer) >= 4:
            n = struct.unpack(">I", self.buffer[:4])[0]
            if len(self.buffer) < 4 + n:
                break
            frame, self.buffer = self.buffer[4:4 + n], self.buffer[4 + n:]
            kind = struct.unpack(">H", frame[12:14])[0]
            if kind in (0x0806, 0x0800):
                (self.take_arp if kind == 0x0806 else self.take_ip)(frame[14:])

    # ---- programs

    def accept(self):
        peer = Peer(self)
        peer.socket = self.programs.accept()[0]
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.untidy = self.untidy
        self.carriers.append(peer)
        peer.syn()

    def carry_up(self, peer):
        try:
            data = peer.socket.recv(65536)
        except OSError:
            data = b""
        if data:
            peer.send(data)
        else:
            peer.finish()

    def carry_down(self, peer):
        """What came from the device, and its end."""
        try:
            if peer.received:
                peer.socket.setblocking(True)
                peer.socket.sendall(peer.received)
            peer.received = b""
            if peer.dead:
                peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif peer.ended and not peer.told_end:
                peer.told_end = True
                peer.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        if peer.dead or peer.ended and peer.finished:
            peer.socket.close()
            peer.socket = None

    # ---- the thread

    def work(self):
        while not self.stopping:
            with self.lock:
                carried = {p.socket: p for p in self.carriers if p.socket and p.opened and not p.finished and len(p.kept) < 20000}
                ready = [self.cable, self.programs] + ([self.machine] if self.machine else []) + list(carried)
            ready = select.select(ready, [], [], 0.02)[0]
            with self.changed:
                if self.cable in ready:
                    self.machine, self.buffer = self.cable.accept()[0], b""
                    self.machine.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                elif self.machine in ready:
                    self.frames()
                if self.programs in ready and self.device:
                    self.accept()
                for s in ready:
                    if s in carried:
                        self.carry_up(carried[s])
                for peer in list(self.peers.values()):
                    peer.tick()
                for peer in self.carriers:
                    if peer.socket:
                        self.carry_down(peer)
                self.changed.notify_all()
