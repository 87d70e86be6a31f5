"""A server that has several host keys tells them, and those that it proves are remembered: UpdateHostKeys, as OpenSSH's client does it."""
import paramiko

from lib import files
from lib.auth import arrived, asking, fetch
from lib.case import add, case
from lib.clients import DORY, R
from lib.paramiko_server import ParamikoServer


def two_keys(t, types=("ed25519", "ecdsa", "rsa")):
    """sshd with its usual key and others; a known_hosts file that holds the usual one; the other keys."""
    others = []
    for i, kind in enumerate(types):
        path = t.path("host%d" % i)
        t.ok(t.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", path]))
        others.append(path)
    server = t.lab.fresh(t, "sshd", config=["HostKey %s" % path for path in others])
    known = files.write(t.path("known"), files.read(server.known), mode=0o600)
    return server, known, others


def blob(t, key):
    return t.lab.public(key).split()[1]


def copied(t, server, known, *options):
    there = server.folder(t)
    source = files.write(t.path("source"), files.blob(1 << 20))
    result = t.ok(DORY.copy(t, server, source, R(t.name + "/arrived"), known=known, options=options))
    files.same(there + "/arrived", source)
    return result


@case("dory to sshd: further host keys are learned once proved")
def learned(t):
    server, known, others = two_keys(t)
    result = copied(t, server, known, "UpdateHostKeys=yes")
    t.check(result.err.count(b"Learned new hostkey: ") == len(others), "it did not say that it learned %d keys" % len(others))
    lines = files.read(known).decode().splitlines()
    t.check(len(lines) == 1 + len(others), "%d lines in known_hosts" % len(lines))
    for key in others:
        t.check(any(blob(t, key) in line for line in lines), "a key is missing")
    t.check(copied(t, server, known, "UpdateHostKeys=yes").err == b"", "it learned something twice")
    theirs = t.run(["ssh-keygen", "-F", "[%s]:%d" % (server.host, server.port), "-l", "-f", known])
    t.check(theirs.out.count(b"SHA256:") == 1 + len(others), "ssh-keygen -F reads it otherwise")


@case("dory to sshd: a key that was learned is good for the next visit")
def rotated(t):
    server, known, others = two_keys(t, types=("ed25519",))
    copied(t, server, known, "UpdateHostKeys=yes")
    server.stop()
    rotated_server = t.lab.fresh(t, "sshd", host_key=others[0], port=server.port)
    copied(t, rotated_server, known)


@case("auth: of host keys that a server tells again and again only the first message counts, and a key only once")
def told_twice(t):
    keys = [paramiko.Ed25519Key(filename=t.lab.make_key("told.%d" % i)) for i in range(3)]
    server = ParamikoServer(t, rounds=[("", "", [("Password: ", False)], ["secret"])], told=[keys[:1] * 3 + keys[1:2], keys[2:]])
    result = arrived(t, fetch(t, server, asking("secret"), options=["UpdateHostKeys=yes"], batch=False))
    t.check(result.err.count(b"Learned new hostkey: ") == 2 and b"could not prove" not in result.err, "it said something else")
    lines = files.read(server.known).decode().splitlines()
    t.check([line.split()[2] for line in lines[1:]] == [k.get_base64() for k in keys[:2]], "known_hosts is %r" % lines)


@case("dory to sshd: a key that nobody has confirmed brings no others with it, as with ssh")
def unconfirmed(t):
    server, known, _ = two_keys(t, types=("ecdsa",))
    for mode in ("accept-new", "no"):
        files.write(known, b"", mode=0o600)
        copied(t, server, known, "UpdateHostKeys=yes", "StrictHostKeyChecking=%s" % mode)
        lines = files.read(known).decode().splitlines()
        t.check(len(lines) == 1, "with %s: %d lines in known_hosts" % (mode, len(lines)))


def quiet(options):
    def work(t):
        server, known, _ = two_keys(t)
        before = files.read(known)
        t.check(copied(t, server, known, *options).err == b"", "it said something")
        t.check(files.read(known) == before, "known_hosts was changed")
    return work


add("dory to sshd: with UserKnownHostsFile host keys are left alone, as ssh does", quiet(()))
add("dory to sshd: UpdateHostKeys=no", quiet(("UpdateHostKeys=no",)))
add("dory to sshd: UpdateHostKeys=ask asks nothing in batch mode", quiet(("UpdateHostKeys=ask", "BatchMode=yes")))
