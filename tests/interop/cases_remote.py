"""`dory scp` as the remote side that an sshd runs, and remote sides that are not what `dory scp` hopes for."""
import os
import signal

from lib import files, sandbox
from lib.case import case
from lib.clients import DBCLIENT, DORY, OPENSSH, PARAMIKO, SSH_, R
from lib.proxy import UP, Proxy


def fill(folder, *names):
    for name in names:
        files.write(os.path.join(folder, name), "content of " + name, owner=sandbox.UID)


@case("dory scp under sshd: it is Dory that runs there")
def is_dory(t):
    server = t.lab.server("remote")
    result = SSH_.run(t, server, ["readlink -f $(command -v scp)"])
    t.check(result.out.decode().strip() == t.lab.dory, "scp is %r there" % result.out)


@case("dory scp under sshd: Dropbear, paramiko and Dory as clients")
def other_clients(t):
    server = t.lab.server("remote")
    there = server.folder(t)
    files.odd_tree(t.path("tree"), 200, newlines=False)
    for client in (DBCLIENT, PARAMIKO, DORY):
        t.ok(client.copy(t, server, t.path("tree"), R("%s/%s" % (t.name, client.name)), ["-r", "-p"]))
        files.same_tree(os.path.join(there, client.name), t.path("tree"), modes=True, times=True)
        t.ok(client.copy(t, server, R("%s/%s" % (t.name, client.name)), t.path(client.name), ["-r", "-p"]))
        files.same_tree(t.path(client.name), t.path("tree"), modes=True, times=True)


@case("dory scp under sshd: Dropbear's server runs it too")
def under_dropbear(t):
    """Its users find scp in a fixed PATH, so it is called by its whole name."""
    server = t.lab.server("dropbear")
    there = server.folder(t)
    link = t.path("scp")
    os.symlink(t.lab.dory, link)
    result = t.ok(SSH_.run(t, server, [link + " -t " + t.name], stdin=b"T5 0 6 0\nC0600 7 a\ncontent\0"))
    t.check(b"\1" not in result.out, "replies %r" % result.out)
    files.holds(there + "/a", "content")
    result = SSH_.run(t, server, [link + " -r -t " + t.name], stdin=b"D0700 0 d\nC0644 1 b\nx\0E\n")
    t.check(t.ok(result).out == b"\0\0\0\0\0", "replies %r" % result.out)
    files.holds(there + "/d/b", "x")


@case("dory scp under sshd: several sources, folders, -d")
def several(t):
    server = t.lab.server("remote")
    there = server.folder(t)
    fill(t.dir, "a", "b")
    t.ok(OPENSSH.copy(t, server, [t.path("a"), t.path("b")], R(t.name)))
    files.only(there, "a", "b")
    t.fails(OPENSSH.copy(t, server, [t.path("a"), t.path("b")], R(t.name + "/a")), "not a directory")
    files.holds(there + "/a", "content of a")
    os.mkdir(t.path("here"))
    t.ok(OPENSSH.copy(t, server, R(t.name + "/*"), t.path("here")))
    files.only(t.path("here"), "a", "b")
    t.fails(OPENSSH.copy(t, server, R("%s/{a,missing,b}" % t.name), t.path("here"), ["-T"]), "missing", "no such file")


@case("dory scp under sshd: what it says on its own")
def protocol(t):
    """By hand: the records and replies, byte by byte."""
    server = t.lab.server("remote")
    there = server.folder(t)

    def sink(flags, data):
        return SSH_.run(t, server, ["scp %s -t %s" % (flags, t.name)], stdin=data)
    result = t.ok(sink("-p", b"T1000000000 0 1100000000 0\nC0640 3 a\nabc\0"))
    t.check(result.out == b"\0\0\0\0", "replies %r" % result.out)
    info = os.stat(there + "/a")
    t.check((int(info.st_mtime), int(info.st_atime), info.st_mode & 0o777) == (1000000000, 1100000000, 0o640), "times or mode: %r" % (info,))
    for bad in (b"C0644 3 ../x\nabc\0", b"C0644 3 /tmp/x\nabc\0", b"C0644 3 .\nabc\0", b"C0644 3 ..\nabc\0", b"C0644 3 \nabc\0", b"D0755 0 d\n", b"E\n",
                b"C0999 3 x\nabc\0", b"C0644 -3 x\nabc\0", b"C0644 99999999999999999999 x\nabc\0", b"X\n", b"C0644 3\n", b"\n"):
        result = sink("", bad)
        t.check(result.rc != 0, "status 0 for %r" % bad)
        t.check(b"\1" in result.out or b"\2" in result.out, "no error record for %r but %r" % (bad, result.out))
        files.only(there, "a")
    for short in (b"C0644 5 x\nabc", b"C0644 5 x", b"C0644 5 a\nabc"):
        t.check(sink("", short).rc != 0, "status 0 for %r" % short)
        files.only(there, "a")
    files.holds(there + "/a", "abc")


@case("dory scp under sshd: killed in an upload, the old file stays and no other")
def killed(t):
    server = t.lab.fresh(t, "remote")
    there = server.folder(t)
    fill(there, "old")
    source = files.write(t.path("source"), files.blob(8 << 20))
    for number in (signal.SIGTERM, signal.SIGHUP):
        proxy = Proxy(t, server, hold=(UP, 3 << 20))
        client = OPENSSH.copy(t, server, source, R(t.name + "/old"), port=proxy.port, start=True)
        t.check(proxy.reached.wait(60), "the upload never came to its middle")
        os.kill(sink_of(t), number)
        t.eventually(lambda: os.listdir(there) == ["old"], "no debris (%r)" % os.listdir(there))
        files.holds(there + "/old", "content of old")
        proxy.release()
        t.fails(t.end(client))
        files.holds(there + "/old", "content of old")


def sink_of(t):
    """The process that sshd started for this case: one of ours, found by its command line."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = files.read("/proc/%s/cmdline" % pid).split(b"\0")
        except OSError:
            continue
        if words[0] == b"scp" and b"-t" in words and words[-2].startswith(t.name.encode() + b"/"):
            return int(pid)
    t.fail("no scp -t runs")


@case("dory to sshd: there is no scp on the other side")
def no_scp(t):
    server = t.lab.fresh(t, "sshd", config=["SetEnv PATH=/nonexistent"])
    there = server.folder(t)
    fill(t.dir, "a")
    t.fails(DORY.copy(t, server, t.path("a"), R(t.name)), "127.0.0.1", "scp", ("not found", "no scp"))
    t.fails(DORY.copy(t, server, R(t.name + "/x"), t.path("got")), "127.0.0.1", "scp", ("not found", "no scp"))
    files.only(there)


@case("dory to sshd: the account has no shell")
def no_shell(t):
    server = t.lab.fresh(t, "sshd", config=["ForceCommand echo This account is not available.; exit 1"])
    there = server.folder(t)
    fill(t.dir, "a")
    t.fails(DORY.copy(t, server, t.path("a"), R(t.name)), "This account is not available")
    t.fails(DORY.copy(t, server, R(t.name + "/x"), t.path("got")), "This account is not available")
    files.only(there)


@case("dory to sshd: the shell says something before scp does")
def noisy(t):
    """On standard error that is harmless, on standard output it ruins the protocol, and the person must see what it was."""
    fill(t.dir, "a")
    harmless = t.lab.fresh(t, "sshd", config=["ForceCommand echo good morning >&2; exec sh -c \"$SSH_ORIGINAL_COMMAND\""])
    there = harmless.folder(t)
    t.says(t.ok(DORY.copy(t, harmless, t.path("a"), R(t.name))), "good morning")
    files.only(there, "a")
    os.unlink(there + "/a")
    ruined = t.lab.fresh(t, "sshd", config=["ForceCommand echo good morning; exec sh -c \"$SSH_ORIGINAL_COMMAND\""])
    t.fails(DORY.copy(t, ruined, t.path("a"), R(t.name)), "good morning")
    files.only(there)


@case("dory to sshd: the remote scp is killed")
def remote_killed(t):
    server = t.lab.fresh(t, "sshd", config=["ForceCommand printf '\\000\\000'; head -c 100000 >/dev/null; kill -9 $$"])
    there = server.folder(t)
    source = files.write(t.path("source"), files.blob(1 << 20))
    t.fails(DORY.copy(t, server, source, R(t.name + "/a")), "127.0.0.1")
    files.only(there)


@case("dory to sshd: the remote scp fails at the end")
def remote_fails(t):
    """Every byte was taken and answered, but the program there says that it failed: no success."""
    server = t.lab.fresh(t, "sshd", config=["ForceCommand sh -c \"$SSH_ORIGINAL_COMMAND\"; exit 3"])
    server.folder(t)
    fill(t.dir, "a")
    t.fails(DORY.copy(t, server, t.path("a"), R(t.name + "/a")), "127.0.0.1", "3")


@case("dory to sshd: the server is stopped in the middle")
def server_stopped(t):
    server = t.lab.fresh(t, "sshd", config=["ForceCommand printf '\\000\\000'; head -c 1000000 >/dev/null; kill $PPID; sleep 60"])
    server.folder(t)
    source = files.write(t.path("source"), files.blob(8 << 20))
    t.fails(DORY.copy(t, server, source, R(t.name + "/a")), "127.0.0.1", ("lost", "closed", "reset", "connection"))
