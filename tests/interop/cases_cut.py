"""The connection is cut in the middle, or a side is stopped: nothing of what was there before is lost, no debris stays."""
import os
import signal

from lib import files, sandbox
from lib.case import add, case
from lib.clients import DORY, OPENSSH, R
from lib.pairs import ALL
from lib.proxy import DOWN, UP, Proxy
from lib.servers import sockets

LOST = ("connection", "closed", "reset", "lost", "cut", "ended")
SIZE = 8 << 20
CUT = 3 << 20


def cleaned(t, there, *names):
    """The server notices a cut in its own time."""
    def done():
        return sorted(os.listdir(there)) == sorted(names)
    t.eventually(done, "%s holds only %s (it holds %s)" % (os.path.basename(there), ", ".join(names) or "nothing", os.listdir(there)))


def cut_up(pair, reset):
    def work(t):
        server = pair.server(t)
        there = server.folder(t)
        files.write(there + "/old", "old", owner=sandbox.UID)
        source = files.write(t.path("source"), files.blob(SIZE))
        proxy = Proxy(t, server, cut=(UP, CUT), reset=reset)
        for name in ("old", "new"):
            result = pair.copy(t, source, R("%s/%s" % (t.name, name)), port=proxy.port)
            t.check(proxy.reached.is_set(), "the connection was not cut")
            t.fails(result, *(["127.0.0.1", LOST] if pair.client is DORY else []))
        if pair.kind in ("serve", "remote"):
            cleaned(t, there, "old")
            files.holds(there + "/old", "old")
        files.same(t.path("source"), files.write(t.path("again"), files.blob(SIZE)))
        t.ok(pair.copy(t, source, R(t.name + "/old")))
        files.same(there + "/old", source)
    return work


def cut_down(pair, reset):
    def work(t):
        server = pair.server(t)
        there = server.folder(t)
        source = files.write(there + "/source", files.blob(SIZE), owner=sandbox.UID)
        os.mkdir(t.path("here"))
        files.write(t.path("here/old"), "mine")
        proxy = Proxy(t, server, cut=(DOWN, CUT), reset=reset)
        for name in ("old", "new"):
            result = pair.copy(t, R(t.name + "/source"), t.path("here", name), port=proxy.port)
            t.check(proxy.reached.is_set(), "the connection was not cut")
            t.fails(result, *(["127.0.0.1", LOST] if pair.client is DORY else []))
        if pair.client is DORY:
            files.holds(t.path("here/old"), "mine")
            files.only(t.path("here"), "old")
        t.ok(pair.copy(t, R(t.name + "/source"), t.path("here/old")))
        files.same(t.path("here/old"), source)
    return work


def whole_files_only(tree, expected):
    """Each file that is there is one of the expected, and whole."""
    for path in files.listing(tree):
        here, wanted = os.path.join(os.fsencode(tree), path), os.path.join(os.fsencode(expected), path)
        if os.path.isfile(here):
            files.same(here, wanted)
        elif not os.path.isdir(wanted):
            raise files.Failure("%r was not asked for" % path)


def cut_tree_up(pair):
    def work(t):
        server = pair.server(t)
        there = server.folder(t)
        os.mkdir(t.path("tree"))
        for i in range(100):
            files.write(t.path("tree", "file%d" % i), files.blob(50000, seed=i))
        proxy = Proxy(t, server, cut=(UP, CUT))
        t.fails(pair.copy(t, t.path("tree"), R(t.name + "/arrived"), ["-r"], port=proxy.port))

        def settled():
            try:
                whole_files_only(there, t.dir)
                return True
            except (files.Failure, FileNotFoundError):
                return False
        os.rename(t.path("tree"), t.path("arrived"))
        t.eventually(settled, "only whole files are there")
        t.check(len(os.listdir(there + "/arrived")) > 10, "nothing had arrived before the cut")
        t.check(len(os.listdir(there + "/arrived")) < 100, "everything had arrived before the cut")
    return work


def cut_tree_down(pair):
    def work(t):
        server = pair.server(t)
        there = server.folder(t)
        os.mkdir(there + "/tree")
        for i in range(100):
            files.write(there + "/tree/file%d" % i, files.blob(50000, seed=i), owner=sandbox.UID)
        proxy = Proxy(t, server, cut=(DOWN, CUT))
        t.fails(pair.copy(t, R(t.name + "/tree"), t.path("arrived"), ["-r"], port=proxy.port), "127.0.0.1", LOST)
        whole_files_only(t.path("arrived"), there + "/tree")
        t.check(10 < len(os.listdir(t.path("arrived"))) < 100, "the cut came too early or too late")
    return work


for pair_ in ALL:
    for way in (True, False):
        label = "reset" if way else "closed"
        add("%s: connection %s in the middle, up" % (pair_.name, label), cut_up(pair_, way))
        add("%s: connection %s in the middle, down" % (pair_.name, label), cut_down(pair_, way))
    if pair_.kind == "serve":
        add("%s: connection cut in a tree, up" % pair_.name, cut_tree_up(pair_))
    if pair_.client is DORY:
        add("%s: connection cut in a tree, down" % pair_.name, cut_tree_down(pair_))


# ---- at many places, in the handshake and around the file

def everywhere(client, kind, way):
    """One copy through a proxy tells how many bytes there are; then it is cut after each twentieth part of them. Where the client
    succeeded all the same, the file must be whole."""
    def work(t):
        server = t.lab.server(kind)
        there = server.folder(t)
        source = files.write(t.path("source"), files.blob(1000))
        meter = Proxy(t, server)
        t.ok(client.copy(t, server, source, R(t.name + "/up"), port=meter.port))
        total = meter.forwarded[way]
        t.check(total > 1000, "only %d bytes went through the proxy" % total)
        failed = 0
        for place in [0, 1, 20] + [total * i // 20 for i in range(1, 20)]:
            if os.path.exists(there + "/up"):
                os.unlink(there + "/up")
            proxy = Proxy(t, server, cut=(way, place), reset=place % 2 == 0)
            result = client.copy(t, server, source, R(t.name + "/up"), port=proxy.port)
            if result.rc == 0:
                files.same(there + "/up", source)
            else:
                t.fails(result, *(["127.0.0.1"] if client is DORY else []))
                failed += 1
            if kind == "serve":
                t.eventually(lambda: sockets(server.port, "01") == 0, "the server has noticed the cut after %d bytes" % place)
                cleaned(t, there, *(["up"] if os.path.exists(there + "/up") else []))
                if os.path.exists(there + "/up"):
                    files.same(there + "/up", source)
        t.check(failed >= 16, "only %d of 22 cuts were felt" % failed)
        t.ok(client.copy(t, server, source, R(t.name + "/up")))
        files.same(there + "/up", source)
    return work


for way_ in (UP, DOWN):
    add("openssh to dory serve: connection cut at many places, bytes %s" % way_, everywhere(OPENSSH, "serve", way_))
    add("dory to sshd: connection cut at many places, bytes %s" % way_, everywhere(DORY, "sshd", way_))


# ---- a side is stopped in the middle

def client_killed(pair, number):
    def work(t):
        server = pair.server(t)
        there = server.folder(t)
        files.write(there + "/old", "old", owner=sandbox.UID)
        source = files.write(t.path("source"), files.blob(SIZE))
        proxy = Proxy(t, server, hold=(UP, CUT))
        client = pair.copy(t, source, R(t.name + "/old"), port=proxy.port, start=True)
        t.check(proxy.reached.wait(60), "the upload never came to its middle")
        client.signal_group(number)
        client.popen.wait(60)
        proxy.release()
        cleaned(t, there, "old")
        files.holds(there + "/old", "old")
        t.ok(pair.copy(t, source, R(t.name + "/old")))
        files.same(there + "/old", source)
    return work


def dory_stopped(number):
    """`dory scp` ends by a signal while it downloads: no debris here."""
    def work(t):
        server = t.lab.server("sshd")
        source = files.write(server.folder(t) + "/source", files.blob(SIZE), owner=sandbox.UID)
        os.mkdir(t.path("here"))
        files.write(t.path("here/old"), "mine")
        for name in ("old", "new"):
            proxy = Proxy(t, server, hold=(DOWN, CUT))
            client = DORY.copy(t, server, R(t.name + "/source"), t.path("here", name), port=proxy.port, start=True)
            t.check(proxy.reached.wait(60), "the download never came to its middle")
            client.signal(number)
            result = t.end(client)
            t.check(result.rc != 0, "status 0 after a signal")
            proxy.release()
            files.only(t.path("here"), "old")
            files.holds(t.path("here/old"), "mine")
        t.ok(DORY.copy(t, server, R(t.name + "/source"), t.path("here/old")))
        files.same(t.path("here/old"), source)
    return work


for pair_ in ALL:
    if pair_.kind == "serve":
        add("%s: the client is killed in an upload" % pair_.name, client_killed(pair_, signal.SIGKILL))
for number_, label_ in ((signal.SIGINT, "SIGINT"), (signal.SIGTERM, "SIGTERM"), (signal.SIGHUP, "SIGHUP")):
    add("dory to sshd: %s in a download" % label_, dory_stopped(number_))


@case("dory to sshd: SIGKILL in a download leaves the old file")
def killed_download(t):
    server = t.lab.server("sshd")
    files.write(server.folder(t) + "/source", files.blob(SIZE), owner=sandbox.UID)
    old = files.write(t.path("old"), "mine")
    proxy = Proxy(t, server, hold=(DOWN, CUT))
    client = DORY.copy(t, server, R(t.name + "/source"), old, port=proxy.port, start=True)
    t.check(proxy.reached.wait(60), "the download never came to its middle")
    client.signal(signal.SIGKILL)
    client.popen.wait(60)
    proxy.release()
    files.holds(old, "mine")
