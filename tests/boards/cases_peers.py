"""Peers that misbehave as no kernel lets them (wire.py): each kind comes more often than the device has TCP connections, then says nothing any more,
and somebody else is served; nothing of the network's memory stays taken. On one machine: the rest is the same code."""
import time

from lib.clients import OPENSSH
from lib.proc import Failure
from cases import IMAGE, both_ways, case, idle, image
from device import Device
from gdb import Gdb
from image import Image
from wire import PATIENCE, Peer, Wire

CROWD = 8               # the boards have three to five pcbs
CONNECTIONS = 2         # of this one: DORY_LWIP_CONNECTIONS
EVICT = 31 * 1000       # more than DORY_DEVICE_EVICT_MS
SILENCE = 121 * 1000    # more than three keepalives and the wait for the last one's answer


def only(entry):
    return entry[1] == "lm3s6965evb"


def device_of(t, entry):
    wire = Wire(t)
    return Device(t, entry, wire=wire, extra=["-gdb", "unix:gdb,server=on,wait=off"]), wire


class Clock:
    """The clock of a machine that QEMU's GDB server can stop: nobody waits for minutes."""

    def __init__(self, device):
        self.path = device.machine.folder + "/gdb"
        self.ticks, self.ms = Image(device.entry[1]).symbols["ticks"], 5

    def forward(self, ms):
        gdb = Gdb(self.path)
        now = int.from_bytes(gdb.read(self.ticks, 8), "little")
        gdb.write(self.ticks, (now + ms // self.ms).to_bytes(8, "little"))
        gdb.go()


def greeted(peer):
    """True: the device has sent its version to this peer. False: it was sent away."""
    if peer.opened or peer.open():
        peer.wait(lambda: peer.dead or b"\n" in peer.received, "the device's version")
    return peer.received.startswith(b"SSH-2.0-")


def served(t, device, wire, crowd=()):
    """Who tries again when he is sent away is served; when nobody of the crowd says anything any more, all is as it was."""
    end = time.monotonic() + PATIENCE
    while True:
        peer = Peer(wire, "10.0.2.50")
        if greeted(peer):
            break
        t.check(time.monotonic() < end, "nobody is served any more")
        time.sleep(0.2)
    peer.finish()
    peer.wait(lambda: peer.ended or peer.dead, "the end")
    for peer in crowd:
        peer.silent = True
    idle(t, device)
    t.ok(device.ssh("version"))


def crowd_of(wire, **how):
    for i in range(CROWD):
        yield Peer(wire, "10.0.2.%d" % (100 + i), **how)


def thrown_out(peer):
    """Gets the device to close, and acknowledges nothing from there on."""
    peer.open()
    peer.acks = False
    peer.send(b"GET / HTTP/1.0\r\n\r\n")
    peer.wait(lambda: peer.ended, "FIN of the device")


@case("peers that do not acknowledge the device's end", only)
def fin_wait_1(t, entry):
    device, wire = device_of(t, entry)
    for peer in crowd_of(wire):
        thrown_out(peer)
        peer.silent = True
    served(t, device, wire)


@case("peers that end as well, but do not acknowledge the device's end", only)
def closing(t, entry):
    device, wire = device_of(t, entry)
    for peer in crowd_of(wire):
        thrown_out(peer)
        peer.finish()
        peer.silent = True
    served(t, device, wire)


@case("peers that end first, and do not acknowledge the device's end", only)
def last_ack(t, entry):
    device, wire = device_of(t, entry)
    for peer in crowd_of(wire):
        peer.open()
        peer.acks = False
        peer.finish()
        peer.wait(lambda: peer.ended, "FIN of the device")
        peer.silent = True
    served(t, device, wire)


@case("peers that never end after the device has", only)
def fin_wait_2(t, entry):
    device, wire = device_of(t, entry)
    for peer in crowd_of(wire):
        thrown_out(peer)
        peer.acks = True
        peer.send(b"and more")
        peer.silent = True
    served(t, device, wire)


@case("SYNs that nobody follows up, of hosts that are there and of hosts that are not", only)
def flood(t, entry):
    device, wire = device_of(t, entry)
    crowd = list(crowd_of(wire))
    for i, peer in enumerate(crowd):
        peer.halfway = True
        if i % 2:
            wire.away.add(peer.host[0])
        peer.syn()
    served(t, device, wire, crowd)


@case("peers that are silent once they are connected", only)
def mute(t, entry):
    device, wire = device_of(t, entry)
    crowd, known = list(crowd_of(wire)), Peer(wire, "10.0.2.50")
    for peer in crowd:
        peer.open()
        peer.silent = True
    t.eventually(lambda: sum(not peer.dead for peer in crowd) <= CONNECTIONS, "who finds no room is sent away")
    for peer in [peer for peer in crowd if not peer.dead]:      # the first is in the session, the other waits for it
        Clock(device).forward(EVICT)
        device.machine.expect(r":%d: no login: gave way" % peer.host[1])
        peer.wait(lambda: peer.dead, "whoever gave way is told")
        t.check(known.opened or known.open(), "the place of who gave way is not free")
    t.check(greeted(known), "not served")
    known.reset()
    served(t, device, wire)


@case("peers that never take a byte", only)
def no_window(t, entry):
    device, wire = device_of(t, entry)
    for peer in crowd_of(wire, window=0):
        if peer.open():
            peer.send(b"GET / HTTP/1.0\r\n\r\n")
    served(t, device, wire)


@case("peers that reset, before a login and in the middle of a transfer", only)
def resets(t, entry):
    device, wire = device_of(t, entry)
    source = image(t)
    for i, peer in enumerate(crowd_of(wire)):
        if peer.open() and i % 2:
            peer.wait(lambda: peer.received or peer.dead, "the device's version")
        peer.reset()
    for i in range(CROWD):
        t.ok(device.push(OPENSSH, source, "slot-b"))
        known = len(wire.carriers)
        transfer = device.push(OPENSSH, source, "slot-b", start=True) if i % 2 else device.pull(OPENSSH, "slot-b", t.path("part"), start=True)
        carrier = carrier_of(wire, known)
        carrier.wait(lambda: carrier.dead or carrier.bytes_up + carrier.bytes_down > IMAGE // 2, "half of the transfer")
        carrier.reset()
        t.fails(t.end(transfer))
    served(t, device, wire)
    both_ways(t, device, OPENSSH, source)


@case("segments that overlap, come twice, or too early", only)
def untidy(t, entry):
    device, wire = device_of(t, entry)
    source = image(t)
    wire.untidy = True
    both_ways(t, device, OPENSSH, source)
    idle(t, device)


def carrier_of(wire, known):
    """Of the program that was started when there were `known`."""
    with wire.changed:
        if not wire.changed.wait_for(lambda: len(wire.carriers) > known, PATIENCE):
            raise Failure("nobody has called")
    return wire.carriers[known]


@case("users that take nothing any more in the middle of a download", only)
def stuck(t, entry):
    device, wire = device_of(t, entry)
    t.ok(device.push(OPENSSH, image(t), "slot-b"))
    for i in range(CROWD):
        known = len(wire.carriers)
        download = device.pull(OPENSSH, "slot-b", t.path("part"), start=True)
        carrier = carrier_of(wire, known)
        carrier.wait(lambda: carrier.dead or carrier.bytes_down > IMAGE // 2, "half of the download")
        if i % 2:
            carrier.window = 0
        else:
            carrier.silent = True
        Clock(device).forward(SILENCE)
        device.machine.expect(r"the peer does not answer")
        download.kill()
        t.ok(device.ssh("version"))
    served(t, device, wire)
