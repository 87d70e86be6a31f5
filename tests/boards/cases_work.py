"""What firmware costs: instructions, counted by a plugin of QEMU, and stack, painted. The limits are promises (docs/FOOTPRINT.md); the figures
go to build/<board>/figures.json, from which scripts/footprint writes that page."""
import json
import os
import signal
import subprocess

from lib import files
from lib.clients import OPENSSH, R, script
from lib.proc import Failure, eventually
from cases import case, image
from device import LOGIN, Device
from gdb import Gdb
from image import Image
import machine

BOARDS = "lm3s6965evb", "lm3s6965evb-min"
# The operations of a server's handshake and login in docs/FOOTPRINT.md, and 15 % for everything around them.
PRIMITIVES = 5100000
HANDSHAKE = PRIMITIVES * 115 // 100
BULK = 40       # a byte
SESSIONS, UPLOADS, SMALL, LARGE = 5, 3, 20 * 1024, 100 * 1024
PAINT = bytes([0x5a] * 4)


def only(entry):
    return entry[1] in BOARDS


def keep(board, **figures):
    path = os.path.join(machine.TOP, "build", board, "figures.json")
    known = {}
    if os.path.exists(path):
        with open(path) as f:
            known = json.load(f)
    known.update(figures)
    with open(path, "w") as f:
        json.dump(known, f, indent=1)


# ---- instructions

def plugin(t):
    path = t.path("count.so")
    t.ok(t.run(["gcc", "-O2", "-shared", "-fPIC", "-o", path, os.path.join(machine.TOP, "tests", "boards", "count.c")]))
    return path


def counted(t, entry, library, name, work):
    """{address: count} of a machine's life in which work(device) happens."""
    out = t.path(name)
    os.mkdir(t.path(name + ".d"))
    device = Device(t, entry, extra=["-plugin", "%s,out=%s" % (library, out)], folder=t.path(name + ".d"))
    work(device)
    device.machine.process.send_signal(signal.SIGTERM)
    device.machine.process.wait(60)
    counts = {}
    with open(out) as f:
        for line in f:
            address, n = line.split()
            counts[int(address, 16)] = counts.get(int(address, 16), 0) + int(n)
    return counts


class Work:
    """The difference of two runs, without what a machine does while it only waits: that is proportional to the ticks of its timer."""

    def __init__(self, image, less, more, idle):
        self.image = image
        tick = image.symbols["dory_cortex_tick"] & ~1
        ticks = more.get(tick, 0) - less.get(tick, 0)
        at = set(less) | set(more)
        self.counts = {a: more.get(a, 0) - less.get(a, 0) - idle.get(a, 0) * ticks for a in at}
        self.total = sum(self.counts.values())

    def by_part(self, share):
        """{part: instructions / share}"""
        parts = {}
        where = self.image.parts_at(self.counts)
        for address, n in self.counts.items():
            part = where[address]
            if self.image.function(address) in ("memcpy", "memset", "memmove"):
                part = "copying"
            parts[part] = parts.get(part, 0) + n
        return {k: n / share for k, n in parts.items()}


def idle_of(image, short, long):
    """{address: instructions a tick} of a machine that waits."""
    tick = image.symbols["dory_cortex_tick"] & ~1
    ticks = long.get(tick, 0) - short.get(tick, 0)
    if ticks <= 0:
        raise Failure("the longer wait has no more ticks")
    return {a: (long.get(a, 0) - short.get(a, 0)) / ticks for a in set(short) | set(long)}


def wait(seconds):
    def work(device):
        import time
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            device.machine.listen(0.1)
    return work


def sessions(times):
    def work(device):
        for _ in range(times):
            device.test.ok(device.ssh("version"))
    return work


def commands(times):
    """Over one connection."""
    def work(device):
        t = device.test
        through = ["-o", "ControlPath=%s" % t.path("commands.%d" % times)]
        where = ["-p", str(device.port), "%s@%s" % (LOGIN, device.host)]
        master = t.start(["ssh", "-F", "none", "-M", "-N", "-i", t.lab.key, "-o", "UserKnownHostsFile=%s" % device.known, "-o", "BatchMode=yes",
                          "-o", "StrictHostKeyChecking=yes", "-o", "IdentityAgent=none", "-o", "IdentitiesOnly=yes"] + through + where)
        eventually(lambda: os.path.exists(t.path("commands.%d" % times)), "ssh has logged in")
        for _ in range(times):
            t.ok(t.run(["ssh", "-F", "none"] + through + where + ["version"]))
        master.kill()
    return work


def uploads(size):
    def work(device):
        source = image(device.test, size)
        for _ in range(UPLOADS):
            device.test.ok(device.push(OPENSSH, source, "slot-b"))
    return work


@case("instructions of a handshake with login, and of a byte that comes in", only)
def instructions(t, entry):
    library, linked = plugin(t), Image(entry[1])
    runs = {name: counted(t, entry, library, name, work) for name, work in (
        ("short", wait(0)), ("long", wait(3)), ("one", sessions(1)), ("more", sessions(1 + SESSIONS)),
        ("command", commands(1)), ("commands", commands(1 + SESSIONS)), ("small", uploads(SMALL)),
        ("large", uploads(LARGE)))}
    idle = idle_of(linked, runs["short"], runs["long"])
    session = Work(linked, runs["one"], runs["more"], idle)
    bulk = Work(linked, runs["small"], runs["large"], idle)
    command = Work(linked, runs["command"], runs["commands"], idle)
    for address, n in command.counts.items():
        session.counts[address] = session.counts.get(address, 0) - n
    handshake = (session.total - command.total) / SESSIONS
    parts = bulk.by_part(UPLOADS * (LARGE - SMALL))
    flash = sum(parts.get(p, 0) for p in ("platform/flash", "emulated flash and entropy"))
    # Behind the write the file system hashes the image (SHA-256 wipes its work after each block) and compares what it reads back, and the
    # emulated flash looks at the clock. What else of a transfer calls these functions is less than half an instruction a byte.
    behind = sum(n for a, n in bulk.counts.items() if "sha256" in linked.function(a) or
                 linked.function(a) in ("memcmp", "memset", "dory_board_millis"))
    behind /= UPLOADS * (LARGE - SMALL)
    byte = sum(parts.values()) - flash - behind
    keep(entry[1], handshake=handshake, handshake_parts=session.by_part(SESSIONS), bulk=byte, bulk_parts=parts, bulk_behind=flash + behind)
    print("# %s: %.2f million instructions a handshake, %.1f a byte up to the flash, %.1f in the flash's file system" %
          (entry[1], handshake / 1e6, byte, flash + behind), flush=True)
    t.check(handshake <= HANDSHAKE, "a handshake takes %d instructions, and %d are allowed" % (handshake, HANDSHAKE))
    t.check(byte <= BULK, "a byte takes %.1f instructions, and %d are allowed" % (byte, BULK))


# ---- stack

class Stack:
    """How deep a machine's stack was used since it was last asked."""

    def __init__(self, device, image):
        self.path = device.machine.folder + "/gdb"
        self.bottom, self.top = image.symbols["dory_board_stack"], image.symbols["dory_board_stack_end"]

    def used(self):
        gdb = Gdb(self.path)
        memory = gdb.read(self.bottom, self.top - self.bottom)
        deep = next(i for i in range(0, len(memory), 4) if memory[i:i + 4] != PAINT)
        free = gdb.register(13) - self.bottom
        gdb.write(self.bottom, PAINT * (free // 4))
        gdb.go()
        return len(memory) - deep


@case("stack of each phase", only)
def stack(t, entry):
    linked = Image(entry[1])
    device = Device(t, entry, extra=["-gdb", "unix:gdb,server=on,wait=off"])
    key, gate = t.path("key"), t.path("gate")
    t.ok(t.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "opened late", "-f", key]))
    files.write(t.path("both"), t.lab.public(t.lab.key) + "\n" + t.lab.public(key) + "\n")
    t.ok(device.push(OPENSSH, t.path("both"), "authorized_keys"))
    used = Stack(device, linked)
    first = used.used()
    # The key is opened when the server has said that it would do: what was before is the key exchange.
    late = script("late-" + entry[0], "#!/bin/sh\ntouch %s.asked\nwhile [ ! -e %s ]; do sleep 0.05; done\necho opened late\n" % (gate, gate))
    master = t.start(["ssh", "-F", "none", "-M", "-N", "-p", str(device.port), "-i", key, "-o", "UserKnownHostsFile=%s" % device.known,
                      "-o", "StrictHostKeyChecking=yes", "-o", "IdentityAgent=none", "-o", "IdentitiesOnly=yes",
                      "-o", "ControlPath=%s" % t.path("mux"), "%s@%s" % (LOGIN, device.host)],
                     env={"SSH_ASKPASS": late, "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":none"})
    eventually(lambda: os.path.exists(gate + ".asked"), "ssh asks for the passphrase")
    phases = {"start, setting of a key": first, "key exchange": used.used()}
    files.write(gate, "")
    eventually(lambda: os.path.exists(t.path("mux")), "ssh has logged in")
    phases["login"] = used.used()
    through = ["-o", "ControlPath=%s" % t.path("mux")]
    source = image(t)
    t.ok(t.run(["scp", "-F", "none", "-O", "-P", str(device.port)] + through + [source, "%s@%s:slot-b" % (LOGIN, device.host)]))
    phases["upload"] = used.used()
    t.ok(t.run(["scp", "-F", "none", "-O", "-P", str(device.port)] + through + ["%s@%s:slot-b" % (LOGIN, device.host), t.path("back")]))
    files.same(t.path("back"), source)
    phases["download"] = used.used()
    t.ok(t.run(["ssh", "-F", "none", "-p", str(device.port)] + through + ["%s@%s" % (LOGIN, device.host), "activate", "slot-b"]))
    phases["activate"] = used.used()
    master.kill()
    keep(entry[1], stack=phases, stack_size=used.top - used.bottom)
    print("# %s: stack %s, of %d bytes" % (entry[1], ", ".join("%s %d" % p for p in phases.items()), used.top - used.bottom), flush=True)
    for phase, n in phases.items():
        t.check(n <= (used.top - used.bottom) * 7 // 8, "%s takes %d bytes of stack: less than an eighth is left" % (phase, n))
