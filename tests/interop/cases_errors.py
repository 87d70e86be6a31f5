"""What goes wrong, goes wrong clearly: a message with host, path and reason, a status, and nothing lost."""
import os
import socket
import threading

from lib import files, sandbox
from lib.case import add, case
from lib.clients import DBCLIENT, DORY, R
from lib.pairs import ALL
from lib.servers import free_port

DENIED = ("denied", "authentication failed", "exited")     # dbclient says only that it exited
NO_SPACE = "no space left"
CHANGED = ("host key", "host identification", "not match", "remote host identification", "hostkey")


def refused(t, pair, *words, **how):
    """An upload and a download, neither of which may do anything."""
    there = pair.server(t).folder(t)
    files.write(there + "/old", "old", owner=sandbox.UID)
    source = files.write(t.path("source"), "new")
    os.mkdir(t.path("here"))
    files.write(t.path("here/old"), "mine")
    up = pair.copy(t, source, R(t.name + "/old"), **how)
    down = pair.copy(t, R(t.name + "/old"), t.path("here/old"), **how)
    t.fails(up, *words)
    if pair.client is DBCLIENT:     # after a DISCONNECT message dbclient ends with 0, and scp takes that for success in a download
        t.says(down, *words)
    else:
        t.fails(down, *words)
    if pair.client is DORY:
        t.says(up, "127.0.0.1")
        t.says(down, "127.0.0.1")
    files.holds(there + "/old", "old")
    files.only(there, "old")
    files.holds(t.path("here/old"), "mine")
    files.only(t.path("here"), "old")


def wrong_password(pair):
    def work(t):
        refused(t, pair, DENIED, password="not the word")
    return work


def wrong_key(pair):
    def work(t):
        refused(t, pair, DENIED, key=t.lab.wrong_key)
    return work


def wrong_user(pair):
    def work(t):
        refused(t, pair, DENIED, login="nobody-here")
    return work


def wrong_host_key(pair):
    def work(t):
        server = pair.server(t)
        known = server.write_known(t.path("known"), t.lab.wrong_key)
        refused(t, pair, CHANGED, *([known] if pair.client is DORY else []), known=known)
    return work


def unknown_host(pair):
    def work(t):
        known = files.write(t.path("known"), "[127.0.0.1]:1 %s\n" % " ".join(t.lab.public(t.lab.key).split()[:2]))
        refused(t, pair, ("host key", "hostkey", "not found in known_hosts"), known=known)
        t.check(len(files.read(known).splitlines()) == 1, "a key was learnt in spite of StrictHostKeyChecking=yes")
    return work


def missing_remote(pair):
    def work(t):
        there = pair.server(t).folder(t)
        os.mkdir(t.path("here"))
        files.write(t.path("here/old"), "mine")
        result = pair.copy(t, R(t.name + "/no-such-file"), t.path("here/old"))
        t.fails(result, t.name + "/no-such-file", "no such file")
        files.holds(t.path("here/old"), "mine")
        files.only(t.path("here"), "old")
        files.only(there)
    return work


def missing_one_of_two(pair):
    """The other one still arrives, and the status tells."""
    def work(t):
        there = pair.server(t).folder(t)
        files.write(there + "/is-there", "x", owner=sandbox.UID)
        os.mkdir(t.path("here"))
        result = pair.copy(t, [R(t.name + "/no-such-file"), R(t.name + "/is-there")], t.path("here"))
        t.fails(result, "no-such-file", "no such file")
        files.holds(t.path("here/is-there"), "x")
        files.only(t.path("here"), "is-there")
    return work


def missing_folder(pair):
    def work(t):
        there = pair.server(t).folder(t)
        source = files.write(t.path("source"), "x")
        t.fails(pair.copy(t, source, R(t.name + "/no-such-folder/file")), "no-such-folder", "no such file")
        files.only(there)
    return work


def missing_local(pair):
    def work(t):
        there = pair.server(t).folder(t)
        t.fails(pair.copy(t, t.path("no-such-file"), R(t.name + "/arrived")), "no-such-file", "no such file")
        files.only(there)
    return work


def forbidden_remote_read(pair):
    def work(t):
        there = pair.server(t).folder(t)
        files.write(there + "/secret", "secret", mode=0o600, owner=0)
        os.mkdir(t.path("here"))
        t.fails(pair.copy(t, R(t.name + "/secret"), t.path("here/arrived")), t.name + "/secret", "permission denied")
        files.only(t.path("here"))
    return work


def forbidden_remote_write(pair):
    """Into a folder that belongs to another."""
    def work(t):
        there = pair.server(t).folder(t)
        os.mkdir(there + "/locked", 0o755)
        source = files.write(t.path("source"), "x")
        t.fails(pair.copy(t, source, R(t.name + "/locked/arrived")), "locked/arrived", "permission denied")
        files.only(there + "/locked")
    return work


def forbidden_in_tree(pair):
    """One file of a tree cannot be read: the rest arrives, the status tells."""
    def work(t):
        there = pair.server(t).folder(t)
        os.mkdir(there + "/tree")
        files.write(there + "/tree/a", "a", owner=sandbox.UID)
        files.write(there + "/tree/secret", "secret", mode=0o600, owner=0)
        files.write(there + "/tree/z", "z", owner=sandbox.UID)
        t.fails(pair.copy(t, R(t.name + "/tree"), t.path("arrived"), ["-r"]), "tree/secret", "permission denied")
        files.holds(t.path("arrived/a"), "a")
        files.holds(t.path("arrived/z"), "z")
        files.only(t.path("arrived"), "a", "z")
    return work


def forbidden_local_read(t):
    there = t.lab.server("sshd").folder(t)
    secret = files.write(t.path("secret"), "secret", mode=0o600)
    result = DORY.copy(t, t.lab.server("sshd"), secret, R(t.name + "/arrived"), user=sandbox.USER, key=t.lab.marlin_key)
    t.fails(result, secret, "permission denied")
    files.only(there)


def forbidden_local_write(t):
    server = t.lab.server("sshd")
    files.write(server.folder(t) + "/source", "x", owner=sandbox.UID)
    os.mkdir(t.path("locked"))
    files.write(t.path("locked/old"), "mine", mode=0o644)
    for name in ("new", "old"):
        result = DORY.copy(t, server, R(t.name + "/source"), t.path("locked", name), user=sandbox.USER, key=t.lab.marlin_key)
        t.fails(result, "locked/" + name, "permission denied")
    files.only(t.path("locked"), "old")
    files.holds(t.path("locked/old"), "mine")


add("dory to sshd: local file without permission, up", forbidden_local_read)
add("dory to sshd: local folder without permission, down", forbidden_local_write)


# ---- full disks of 1 MiB

def disk_with_old(t, there):
    """A disk of 1 MiB at that folder, with a file in it; that file, a copy of it here is "old"; one of 2 MiB here; the free blocks."""
    sandbox.small_disk(there, 1 << 20)
    t.at_end(sandbox.umount, there)
    old = files.write(there + "/old", files.blob(100000), owner=sandbox.UID)
    files.write(t.path("old"), files.blob(100000))
    return old, files.write(t.path("source"), files.blob(2 << 20, seed=5)), os.statvfs(there).f_bfree


def full_remote(pair):
    def work(t):
        there = pair.server(t).folder(t) + "/disk"
        old, source, free = disk_with_old(t, there)
        for name in ("new", "old"):
            result = pair.copy(t, source, R("%s/disk/%s" % (t.name, name)))
            t.fails(result, "disk/" + name, NO_SPACE)
        if pair.kind in ("serve", "remote"):                # OpenSSH's own sink writes in place and keeps what fitted
            files.same(old, t.path("old"))
            files.only(there, "old")
            t.check(os.statvfs(there).f_bfree == free, "space was lost: %d of %d blocks free" % (os.statvfs(there).f_bfree, free))
            t.ok(pair.copy(t, t.path("old"), R(t.name + "/disk/fits")))
            files.same(there + "/fits", old)
    return work


def full_remote_goes_on(pair):
    """The file that does not fit is refused; those before and after it arrive."""
    def work(t):
        there = pair.server(t).folder(t) + "/disk"
        sandbox.small_disk(there, 1 << 20)
        t.at_end(sandbox.umount, there)
        os.mkdir(t.path("tree"))
        for name, size in (("a", 1000), ("big", 2 << 20), ("z", 1000)):
            files.write(t.path("tree", name), files.blob(size))
        sources = [t.path("tree", x) for x in ("a", "big", "z")]
        t.fails(pair.copy(t, sources, R(t.name + "/disk")), "big", NO_SPACE)
        files.only(there, "a", "z")
        files.same(there + "/a", t.path("tree/a"))
        files.same(there + "/z", t.path("tree/z"))
    return work


def full_local(pair):
    def work(t):
        there = pair.server(t).folder(t)
        disk = t.path("disk")
        sandbox.small_disk(disk, 1 << 20)
        t.at_end(sandbox.umount, disk)
        old = files.write(disk + "/old", files.blob(100000))
        files.write(t.path("old"), files.blob(100000))
        files.write(there + "/source", files.blob(2 << 20, seed=5), owner=sandbox.UID)
        files.write(there + "/fits", files.blob(5000), owner=sandbox.UID)
        free = os.statvfs(disk).f_bfree
        for name in ("new", "old"):
            result = pair.copy(t, R(t.name + "/source"), disk + "/" + name)
            t.fails(result, NO_SPACE, *(["disk/" + name] if pair.client is DORY else []))
        if pair.client is DORY:
            files.same(old, t.path("old"))
            files.only(disk, "old")
            t.check(os.statvfs(disk).f_bfree == free, "space was lost")
            result = pair.copy(t, [R(t.name + "/source"), R(t.name + "/fits")], disk)
            t.fails(result, "source", NO_SPACE)
            files.only(disk, "old", "fits")
            files.same(disk + "/fits", there + "/fits")
    return work


for pair_ in ALL:
    add("%s: wrong password" % pair_.name, wrong_password(pair_))
    add("%s: wrong key" % pair_.name, wrong_key(pair_))
    if pair_.kind != "remote":
        add("%s: wrong user" % pair_.name, wrong_user(pair_))
        add("%s: wrong host key" % pair_.name, wrong_host_key(pair_))
        if pair_.client.name != "dbclient":
            add("%s: unknown host key, strict" % pair_.name, unknown_host(pair_))
    add("%s: missing remote file" % pair_.name, missing_remote(pair_))
    add("%s: one of two remote files missing" % pair_.name, missing_one_of_two(pair_))
    add("%s: missing remote folder" % pair_.name, missing_folder(pair_))
    add("%s: missing local file" % pair_.name, missing_local(pair_))
    add("%s: no permission to read, down" % pair_.name, forbidden_remote_read(pair_))
    add("%s: no permission to write, up" % pair_.name, forbidden_remote_write(pair_))
    add("%s: no permission for one file of a tree, down" % pair_.name, forbidden_in_tree(pair_))
    add("%s: full disk, up" % pair_.name, full_remote(pair_))
    add("%s: full disk, down" % pair_.name, full_local(pair_))
    if pair_.kind in ("serve", "remote") and pair_.client.name != "paramiko":
        add("%s: full disk for one of three files, up" % pair_.name, full_remote_goes_on(pair_))


@case("dory: nobody listens at the port")
def nobody_listens(t):
    server = t.lab.server("sshd")
    port = free_port()
    os.mkdir(t.path("here"))
    result = DORY.copy(t, server, R("x"), t.path("here/x"), port=port)
    t.fails(result, "127.0.0.1", str(port), "connection refused")
    files.only(t.path("here"))


@case("dory: a host name that does not exist")
def no_such_host(t):
    os.mkdir(t.path("here"))
    result = t.run([t.lab.dory, "scp", "-o", "BatchMode=yes", "no-such-host.invalid:x", t.path("here/x")])
    t.fails(result, "no-such-host.invalid")
    files.only(t.path("here"))


@case("dory: what answers is not an SSH server")
def not_ssh(t):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)

    def answer():
        peer = listener.accept()[0]
        peer.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<html>\x1b[31m</html>\r\n")
        peer.close()
    threading.Thread(target=answer, daemon=True).start()
    t.at_end(listener.close)
    port = listener.getsockname()[1]
    result = t.run([t.lab.dory, "scp", "-P", str(port), "-o", "BatchMode=yes", "127.0.0.1:x", t.path("x")])
    t.fails(result, "127.0.0.1")
    t.check(b"\x1b" not in result.err + result.out, "a terminal escape of the peer was shown as it came")
