"""Many at once: eight copies over one connection, ten connections to one server, one of which stalls."""
import os
import signal

from lib import files, sandbox
from lib.case import add, case
from lib.clients import DBCLIENT, DORY, OPENSSH, PARAMIKO, SSH_, R
from lib.proxy import DOWN, UP, Proxy
from lib.servers import USER, sockets


def master(t, server):
    """An OpenSSH master connection without a session; the path of its socket."""
    control = t.path("control")
    argv, env = SSH_.command(t, server, [], None, ["-M", "-N", "-S", control], )
    process = t.start([("-p" if w == "-P" else w) for w in argv[:-1]] + ["%s@%s" % (USER, server.host)], env=env)
    t.eventually(lambda: os.path.exists(control) or not process.alive(), "the master connection stands")
    t.check(process.alive(), "the master connection failed: %s" % files.read(process.err_path))
    return control, process


def eight(t, server, sizes):
    """Four copies up and four down, all at once over one connection."""
    there = server.folder(t)
    control, process = master(t, server)
    os.mkdir(t.path("here"))
    running = []
    for i in range(4):
        source = files.write(t.path("up%d" % i), files.blob(sizes[i], seed=i))
        files.write(there + "/down%d" % i, files.blob(sizes[i], seed=10 + i), owner=sandbox.UID)
        through = ["ControlPath=" + control, "ControlMaster=no", "ProxyCommand=false"]     # nothing else would connect
        running.append(OPENSSH.copy(t, server, source, R("%s/up%d" % (t.name, i)), options=through, start=True))
        running.append(OPENSSH.copy(t, server, R("%s/down%d" % (t.name, i)), t.path("here/down%d" % i), options=through, start=True))
    for client in running:
        t.ok(t.end(client))
    for i in range(4):
        files.same(there + "/up%d" % i, t.path("up%d" % i))
        files.same(t.path("here/down%d" % i), there + "/down%d" % i)
    t.check(sockets(server.port, "01") == 1, "%d connections instead of 1" % sockets(server.port, "01"))
    t.check(process.alive(), "the master connection ended")


@case("openssh to dory serve: ControlMaster, eight scp at once over one connection")
def control_master(t):
    eight(t, t.lab.fresh(t, "serve"), (20 << 20, 5 << 20, 1 << 20, 0))


@case("openssh to dory serve: ControlMaster, eight scp at once with small files, 20 times")
def control_master_often(t):
    server = t.lab.fresh(t, "serve")
    there = server.folder(t)
    control, process = master(t, server)
    through = ["ControlPath=" + control, "ControlMaster=no", "ProxyCommand=false"]
    source = files.write(t.path("source"), files.blob(3000))
    for turn in range(20):
        running = [OPENSSH.copy(t, server, source, R("%s/%d-%d" % (t.name, turn, i)), options=through, start=True) for i in range(8)]
        for client in running:
            t.ok(t.end(client))
    for name in os.listdir(there):
        files.same(os.path.join(there, name), source)
    t.check(len(os.listdir(there)) == 160, "%d files instead of 160" % len(os.listdir(there)))
    t.check(process.alive(), "the master connection ended")


@case("openssh to dory serve: ControlMaster with RekeyLimit=1M")
def control_master_rekey(t):
    server = t.lab.fresh(t, "serve")
    there = server.folder(t)
    control = t.path("control")
    argv, env = SSH_.command(t, server, [], None, ["-M", "-N", "-S", control], options=["RekeyLimit=1M"])
    process = t.start([("-p" if w == "-P" else w) for w in argv[:-1]] + ["%s@%s" % (USER, server.host)], env=env)
    t.eventually(lambda: os.path.exists(control) or not process.alive(), "the master connection stands")
    through = ["ControlPath=" + control, "ControlMaster=no", "ProxyCommand=false"]
    source = files.write(t.path("source"), files.blob(12 << 20))
    files.write(there + "/down", files.blob(12 << 20), owner=sandbox.UID)
    running = []
    for i in range(3):
        running.append(OPENSSH.copy(t, server, source, R("%s/up%d" % (t.name, i)), options=through, start=True))
        running.append(OPENSSH.copy(t, server, R(t.name + "/down"), t.path("down%d" % i), options=through, start=True))
    for client in running:
        t.ok(t.end(client))
    for i in range(3):
        files.same(there + "/up%d" % i, source)
        files.same(t.path("down%d" % i), source)
    t.check(process.alive(), "the master connection ended")


@case("openssh to dory serve: ControlMaster, a stalled copy does not hold the others")
def control_master_stall(t):
    """One download over the shared connection is stopped; its own window fills, the others go on."""
    server = t.lab.fresh(t, "serve")
    there = server.folder(t)
    control, process = master(t, server)
    through = ["ControlPath=" + control, "ControlMaster=no", "ProxyCommand=false"]
    files.write(there + "/down", files.blob(32 << 20), owner=sandbox.UID)
    stalled = OPENSSH.copy(t, server, R(t.name + "/down"), t.path("stalled"), options=through, start=True)
    t.eventually(lambda: os.path.exists(t.path("stalled")) and os.path.getsize(t.path("stalled")) > 0 or not stalled.alive(), "it has begun")
    stalled.signal_group(signal.SIGSTOP)
    size = os.path.getsize(t.path("stalled"))
    source = files.write(t.path("source"), files.blob(8 << 20))
    for i in range(3):
        t.ok(OPENSSH.copy(t, server, source, R("%s/up%d" % (t.name, i)), options=through))
        files.same(there + "/up%d" % i, source)
        t.ok(OPENSSH.copy(t, server, R("%s/up%d" % (t.name, i)), t.path("back%d" % i), options=through))
        files.same(t.path("back%d" % i), source)
    t.check(size < 32 << 20, "the stalled copy was over before it was stopped")
    stalled.signal_group(signal.SIGCONT)
    t.ok(t.end(stalled))
    files.same(t.path("stalled"), there + "/down")


@case("openssh to dory serve: more conversations than a connection may have are refused, the others stay")
def too_many(t):
    """Idle uploads hold their channels open until one more is refused."""
    server = t.lab.fresh(t, "serve")
    server.folder(t)
    control, process = master(t, server)
    argv = ["/usr/bin/ssh", "-F", "none", "-S", control, "-o", "ProxyCommand=false", "x@127.0.0.1"]
    held, ends = [], []
    for i in range(40):
        r, w = os.pipe()
        ends.append(w)
        held.append(t.start(argv + ["scp -t %s/f%d" % (t.name, i)], stdin=r))
        os.close(r)
        t.eventually(lambda: not held[-1].alive() or os.path.getsize(held[-1].out_path) > 0, "an answer to conversation %d" % i)
        if not held[-1].alive():
            break
    refused = held.pop()
    t.check(not refused.alive(), "40 conversations were taken without an end")
    result = t.fails(t.end(refused))
    t.says(result, ("open failed", "refused"))
    t.check(len(held) >= 8, "only %d conversations" % len(held))
    t.check(all(p.alive() for p in held), "a conversation that was open has ended")
    for i, w in enumerate(ends[:-1]):
        os.write(w, b"C0644 %d f%d\n" % (len(b"content %d" % i), i) + b"content %d" % i + b"\0")
    for w in ends:
        os.close(w)
    for i, p in enumerate(held):
        t.ok(t.end(p))
        files.holds(os.path.join(server.root, t.name, "f%d" % i), "content %d" % i)
    t.ok(t.run(argv + ["scp -t %s/again" % t.name], stdin=b"C0644 1 again\nx\0"))
    files.holds(os.path.join(server.root, t.name, "again"), "x")


def ten(stall_way):
    """Ten clients of all kinds; the first stalls in the middle of its file, the other nine finish, then it does."""
    def work(t):
        server = t.lab.fresh(t, "serve")
        there = server.folder(t)
        size = 64 << 20
        proxy = Proxy(t, server, hold=(stall_way, 2 << 20))
        os.mkdir(t.path("here"))
        files.write(t.path("big"), files.blob(size))
        if stall_way == UP:
            stalled = OPENSSH.copy(t, server, t.path("big"), R(t.name + "/stalled"), port=proxy.port, start=True)
            end = there + "/stalled"
        else:
            os.link(t.path("big"), there + "/big")
            end = t.path("here/stalled")
            stalled = OPENSSH.copy(t, server, R(t.name + "/big"), end, port=proxy.port, start=True)
        t.check(proxy.reached.wait(60), "the first client never came to the middle")
        clients = (OPENSSH, DBCLIENT, PARAMIKO, DORY, OPENSSH, DORY, OPENSSH, DORY, OPENSSH)
        running = []
        for i, client in enumerate(clients):
            data = files.blob(2 << 20, seed=i)
            if i % 2:
                files.write(there + "/down%d" % i, data, owner=sandbox.UID)
                running.append(client.copy(t, server, R("%s/down%d" % (t.name, i)), t.path("here/down%d" % i), start=True))
            else:
                files.write(t.path("up%d" % i), data)
                running.append(client.copy(t, server, t.path("up%d" % i), R("%s/up%d" % (t.name, i)), start=True))
        for process in running:
            t.ok(t.end(process))
        for i in range(len(clients)):
            if i % 2:
                files.same(t.path("here/down%d" % i), there + "/down%d" % i)
            else:
                files.same(there + "/up%d" % i, t.path("up%d" % i))
        t.check(stalled.alive(), "the stalled client has ended")
        t.check(not proxy.released.is_set() and proxy.forwarded[stall_way] < size, "it did not stall")
        proxy.release()
        t.ok(t.end(stalled))
        files.same(end, t.path("big"))
    return work


add("ten clients at once to dory serve, one upload stalls", ten(UP))
add("ten clients at once to dory serve, one download stalls", ten(DOWN))


@case("ten clients at once to dory serve, five times, without a leak")
def no_leak(t):
    server = t.lab.fresh(t, "serve")
    there = server.folder(t)
    source = files.write(t.path("source"), files.blob(10000))

    def descriptors():
        return len(os.listdir("/proc/%d/fd" % server.process.pid))
    t.ok(OPENSSH.copy(t, server, source, R(t.name + "/first")))
    t.eventually(lambda: sockets(server.port, "01") == 0, "the first connection is gone")
    before = descriptors()
    for turn in range(5):
        running = [DORY.copy(t, server, source, R("%s/f%d" % (t.name, i)), start=True) for i in range(10)]
        for process in running:
            t.ok(t.end(process))
    for i in range(10):
        files.same(there + "/f%d" % i, source)
    t.eventually(lambda: descriptors() <= before, "file descriptors are given back (%d before)" % before)
