"""What people type: `dory scp` takes it as they know it from OpenSSH's scp."""
import os
import socket

from lib import files, sandbox
from lib.case import add, case
from lib.clients import DORY, OPENSSH, R, ask, known_for
from lib.pairs import OURS, SERVED, SERVING
from lib.proxy import DOWN, Proxy
from lib.servers import USER


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


def fill(folder, *names):
    for name in names:
        files.write(os.path.join(folder, name), "content of " + name, owner=sandbox.UID)


def arrived(folder, *names):
    files.only(folder, *names)
    for name in names:
        files.holds(os.path.join(folder, name), "content of " + name)


def for_each(pairs, name):
    def declare(work):
        for pair in pairs:
            add("%s: %s" % (pair.name, name), lambda t, pair=pair: work(t, pair, pair.server(t).folder(t)))
        return work
    return declare


WITH_DORY = SERVING + OURS          # `dory scp` as the client
EVERY = SERVING + OURS + SERVED     # any client


# ---- several files, folders

@for_each(EVERY, "several files, up")
def several_up(t, pair, there):
    fill(t.dir, "a", "b", "c")
    t.ok(pair.copy(t, [t.path(x) for x in "abc"], R(t.name)))
    arrived(there, "a", "b", "c")


@for_each(EVERY, "several files, down")
def several_down(t, pair, there):
    fill(there, "a", "b", "c")
    os.mkdir(t.path("here"))
    t.ok(pair.copy(t, [R("%s/%s" % (t.name, x)) for x in "abc"], t.path("here")))
    arrived(t.path("here"), "a", "b", "c")


@for_each(EVERY, "several files need a folder")
def several_into_file(t, pair, there):
    fill(t.dir, "a", "b")
    fill(there, "target")
    t.fails(pair.copy(t, [t.path("a"), t.path("b")], R(t.name + "/target")), "target", "not a directory")
    t.fails(pair.copy(t, [t.path("a"), t.path("b")], R(t.name + "/no/folder")), "no/folder", ("no such file", "not a directory"))
    arrived(there, "target")
    if pair.by_sftp:
        t.ok(pair.copy(t, [t.path("a"), t.path("b")], R(t.name + "/missing")))
        arrived(there + "/missing", "a", "b")
    else:
        t.fails(pair.copy(t, [t.path("a"), t.path("b")], R(t.name + "/missing")), "missing", ("no such file", "not a directory"))
        arrived(there, "target")
    if pair.client is DORY:
        fill(t.dir, "mine")
        t.fails(pair.copy(t, [R(t.name + "/target"), R(t.name + "/target")], t.path("mine")), "mine", "not a directory")
        files.holds(t.path("mine"), "content of mine")


@for_each(EVERY, "a target that is a folder takes the file under its name")
def into_folder(t, pair, there):
    fill(t.dir, "a")
    for target in (t.name, t.name + "/", t.name + "/."):
        t.ok(pair.copy(t, t.path("a"), R(target)))
        arrived(there, "a")
        os.unlink(there + "/a")
    fill(there, "a")
    for target in ("here", "here/", "here/."):
        os.mkdir(t.path("here"))
        t.ok(pair.copy(t, R(t.name + "/a"), t.path(target)))
        arrived(t.path("here"), "a")
        os.unlink(t.path("here/a"))
        os.rmdir(t.path("here"))


@for_each(WITH_DORY, "a slash behind a target that is no folder")
def slash_behind(t, pair, there):
    fill(t.dir, "a")
    fill(there, "a")
    t.fails(pair.copy(t, t.path("a"), R(t.name + "/missing/")), "missing")
    arrived(there, "a")
    t.fails(pair.copy(t, R(t.name + "/a"), t.path("missing/")), "missing")
    t.fails(pair.copy(t, R(t.name + "/a"), t.path("a/")), t.path("a"))
    arrived(t.dir, "a")


@for_each(EVERY, "a file does not replace a folder")
def file_over_folder(t, pair, there):
    fill(t.dir, "a")
    os.makedirs(there + "/a/inside")
    t.fails(pair.copy(t, t.path("a"), R(t.name)), "a", ("is a directory", "not a regular file"))
    files.only(there, "a")
    files.only(there + "/a", "inside")


@for_each(WITH_DORY, "a file does not replace a folder, down")
def file_over_folder_down(t, pair, there):
    fill(there, "a")
    os.makedirs(t.path("here/a/inside"))
    t.fails(pair.copy(t, R(t.name + "/a"), t.path("here")), "here/a", "is a directory")
    files.only(t.path("here"), "a")
    files.only(t.path("here/a"), "inside")


@for_each(EVERY, "a folder does not replace a file")
def folder_over_file(t, pair, there):
    os.mkdir(t.path("tree"))
    fill(t.path("tree"), "x")
    fill(there, "a")
    t.fails(pair.copy(t, t.path("tree"), R(t.name + "/a"), ["-r"]), "a", ("not a directory", "file exists"))
    arrived(there, "a")
    if pair.client is DORY:
        os.mkdir(there + "/tree")
        fill(there + "/tree", "x")
        fill(t.dir, "mine")
        t.fails(pair.copy(t, R(t.name + "/tree"), t.path("mine"), ["-r"]), "mine", ("not a directory", "file exists"))
        files.holds(t.path("mine"), "content of mine")


@for_each(EVERY, "a folder without -r is left out, the file beside it arrives")
def folder_without_r(t, pair, there):
    if pair.client.name == "paramiko":      # the helper always sends what it is given
        os.mkdir(there + "/tree")
        fill(there, "b")
        os.mkdir(t.path("here"))
        t.fails(pair.copy(t, [R(t.name + "/tree"), R(t.name + "/b")], t.path("here")), "tree", "not a regular file")
        arrived(t.path("here"), "b")
        return
    os.mkdir(t.path("tree"))
    fill(t.dir, "b")
    t.fails(pair.copy(t, [t.path("tree"), t.path("b")], R(t.name)), "tree", "not a regular file")
    arrived(there, "b")
    os.mkdir(there + "/tree")
    os.mkdir(t.path("here"))
    t.fails(pair.copy(t, [R(t.name + "/tree"), R(t.name + "/b")], t.path("here")), "tree", "not a regular file")
    arrived(t.path("here"), "b")


@for_each(EVERY, "-r of an empty folder")
def empty_folder(t, pair, there):
    os.mkdir(t.path("empty"))
    t.ok(pair.copy(t, t.path("empty"), R(t.name), ["-r"]))
    files.only(there, "empty")
    files.only(there + "/empty")
    os.mkdir(t.path("here"))
    t.ok(pair.copy(t, R(t.name + "/empty"), t.path("here"), ["-r"]))
    files.only(t.path("here"), "empty")
    files.only(t.path("here/empty"))


@for_each(EVERY, "-r into a folder that is there, and one that is not")
def tree_target(t, pair, there):
    os.makedirs(t.path("tree/sub"))
    fill(t.path("tree"), "x")
    fill(t.path("tree/sub"), "y")
    t.ok(pair.copy(t, t.path("tree"), R(t.name + "/new"), ["-r"]))
    files.only(there, "new")
    files.same_tree(there + "/new", t.path("tree"))
    t.ok(pair.copy(t, t.path("tree"), R(t.name + "/new"), ["-r"]))
    files.only(there + "/new", "x", "sub", "tree")
    files.same_tree(there + "/new/tree", t.path("tree"))
    t.ok(pair.copy(t, t.path("tree/"), R(t.name + "/slash"), ["-r"]))
    files.same_tree(there + "/slash", t.path("tree"))
    t.ok(pair.copy(t, R(t.name + "/slash"), t.path("here"), ["-r"]))
    files.same_tree(t.path("here"), t.path("tree"))
    t.ok(pair.copy(t, R(t.name + "/slash/"), t.path("here"), ["-r"]))
    files.only(t.path("here"), "x", "sub", "slash")
    files.same_tree(t.path("here/slash"), t.path("tree"))


@for_each(WITH_DORY, "-r of . copies what is inside")
def tree_dot(t, pair, there):
    os.makedirs(t.path("tree/sub"))
    fill(t.path("tree"), "x")
    fill(t.path("tree/sub"), "y")
    t.ok(pair.copy(t, ".", R(t.name), ["-r"], cwd=t.path("tree")))
    files.same_tree(there, t.path("tree"))
    os.mkdir(t.path("here"))
    t.ok(pair.copy(t, R(t.name + "/."), t.path("here"), ["-r"]))
    # `dory serve` sends the folder's own name in place of the dot, which OpenSSH's clients refuse
    files.same_tree(t.path("here", t.name) if pair.kind == "serve" else t.path("here"), t.path("tree"))


@for_each(WITH_DORY, "a folder without -r is left out by the name of . too")
def dot_without_r(t, pair, there):
    os.makedirs(t.path("tree/sub"))
    fill(t.path("tree"), "x")
    for source in (".", "sub/..", ".."):
        t.fails(pair.copy(t, source, R(t.name), cwd=t.path("tree/sub" if source == ".." else "tree")), "not a regular file")
    files.only(there)


@for_each(WITH_DORY, "-r over a tree that is there replaces files and keeps the others")
def tree_again(t, pair, there):
    for top in (t.path("tree"), there + "/tree"):
        os.makedirs(top + "/sub")
    fill(t.path("tree"), "x")
    fill(t.path("tree/sub"), "y")
    files.write(there + "/tree/x", "old", owner=sandbox.UID)
    fill(there + "/tree/sub", "other")
    os.chown(there + "/tree", sandbox.UID, sandbox.UID)
    os.chown(there + "/tree/sub", sandbox.UID, sandbox.UID)
    t.ok(pair.copy(t, t.path("tree"), R(t.name), ["-r"]))
    arrived(there + "/tree/sub", "y", "other")
    files.holds(there + "/tree/x", "content of x")
    files.only(there + "/tree", "x", "sub")


@for_each(WITH_DORY, "links: a file's is followed, a loop ends, one that dangles is told")
def links(t, pair, there):
    os.mkdir(t.path("tree"))
    fill(t.path("tree"), "x")
    os.symlink("x", t.path("tree/link"))
    t.ok(pair.copy(t, t.path("tree/link"), R(t.name + "/followed")))
    files.holds(there + "/followed", "content of x")
    os.symlink("nowhere", t.path("tree/dangling"))
    t.fails(pair.copy(t, [t.path("tree/dangling"), t.path("tree/x")], R(t.name)), "dangling", "no such file")
    files.holds(there + "/x", "content of x")


@for_each(WITH_DORY, "what is no file: a pipe, a device")
def no_files(t, pair, there):
    os.mkdir(t.path("tree"))
    os.mkfifo(t.path("tree/pipe"))
    fill(t.path("tree"), "x")
    t.fails(pair.copy(t, t.path("tree/pipe"), R(t.name + "/got")), "pipe", "not a regular file")
    t.fails(pair.copy(t, "/dev/null", R(t.name + "/got")), "/dev/null", "not a regular file")
    t.fails(pair.copy(t, t.path("tree"), R(t.name + "/tree"), ["-r"]), "pipe", "not a regular file")
    files.only(there, "tree")
    arrived(there + "/tree", "x")
    os.mkfifo(there + "/pipe")
    os.chown(there + "/pipe", sandbox.UID, sandbox.UID)
    t.fails(pair.copy(t, R(t.name + "/pipe"), t.path("got")), "pipe", "not a regular file")


@for_each(WITH_DORY, "a download over a link replaces what the link names, or the link")
def over_link(t, pair, there):
    fill(there, "a")
    files.write(t.path("real"), "old")
    os.symlink("real", t.path("link"))
    t.ok(pair.copy(t, R(t.name + "/a"), t.path("link")))
    files.holds(t.path("real") if os.path.islink(t.path("link")) else t.path("link"), "content of a")
    t.check(os.path.islink(t.path("link")) or files.read(t.path("real")) == b"old", "both the link and what it named have changed")
    files.only(t.dir, "real", "link")


@for_each(WITH_DORY, "90 sources at once")
def ninety(t, pair, there):
    names = ["f%d" % i for i in range(90)]
    fill(t.dir, *names)
    t.ok(pair.copy(t, [t.path(n) for n in names], R(t.name)))
    arrived(there, *names)
    os.mkdir(t.path("here"))
    t.ok(pair.copy(t, [R("%s/%s" % (t.name, n)) for n in names[:20]], t.path("here")))
    arrived(t.path("here"), *names[:20])


# ---- where to: URIs, IPv6, ports, defaults

def base(t, server, *more, key=None):
    return [t.lab.dory, "scp", "-i", key or t.lab.key, "-o", "UserKnownHostsFile=" + server.known, "-o", "StrictHostKeyChecking=yes", "-o",
            "BatchMode=yes"] + list(more)


@for_each(WITH_DORY, "scp:// URIs")
def uris(t, pair, there):
    server = pair.server(t)
    fill(t.dir, "a b")
    uri = "scp://%s@127.0.0.1:%d/%s" % (USER, server.port, t.name)
    t.ok(t.run(base(t, server, t.path("a b"), uri + "/a%20b")))
    arrived(there, "a b")
    os.mkdir(t.path("here"))
    t.ok(t.run(base(t, server, uri + "/a%20b", t.path("here"))))
    arrived(t.path("here"), "a b")
    t.fails(t.run(base(t, server, uri + "/a%2", t.path("here"))), "a%2")
    t.fails(t.run(base(t, server, "scp://%s@127.0.0.1:99999/x" % USER, t.path("here"))), "99999")


if has_ipv6():
    @case("dory to sshd: [::1]:path")
    def ipv6_sshd(t):
        ipv6(t, t.lab.fresh(t, "sshd", host="::1"))

    @case("dory to dory serve: [::1]:path")
    def ipv6_serve(t):
        ipv6(t, t.lab.fresh(t, "serve", host="::1"))

    def ipv6(t, server):
        there = server.folder(t)
        fill(t.dir, "a")
        t.ok(DORY.copy(t, server, t.path("a"), R(t.name + "/up")))
        files.holds(there + "/up", "content of a")
        os.mkdir(t.path("here"))
        t.ok(t.run(base(t, server, "-6", "scp://%s@[::1]:%d/%s/up" % (USER, server.port, t.name), t.path("here/a"))))
        arrived(t.path("here"), "a")
        t.fails(t.run(base(t, server, "-4", "-P", str(server.port), "%s@[::1]:%s/up" % (USER, t.name), t.path("here/b"))), "::1")
        arrived(t.path("here"), "a")


@case("dory to sshd: user, key and known_hosts by default")
def defaults(t):
    """As a person with files in ~/.ssh types it: no option but the port."""
    server = t.lab.server("sshd")
    there = server.folder(t)
    home = t.path("home")
    os.makedirs(home + "/.ssh", 0o700)
    files.write(home + "/.ssh/id_ed25519", files.read(t.lab.marlin_key), mode=0o600, owner=sandbox.UID)
    files.write(home + "/.ssh/known_hosts", files.read(server.known), mode=0o600, owner=sandbox.UID)
    for path in (home, home + "/.ssh"):
        os.chown(path, sandbox.UID, sandbox.UID)
    fill(home, "a")
    env = {"HOME": home}
    t.ok(t.run([t.lab.dory, "scp", "-P", str(server.port), "a", "127.0.0.1:" + t.name], user=USER, env=env, cwd=home))
    arrived(there, "a")
    t.ok(t.run([t.lab.dory, "scp", "-P", str(server.port), "127.0.0.1:%s/a" % t.name, "b"], user=USER, env=env, cwd=home))
    files.holds(home + "/b", "content of a")


@case("dory to sshd: a path below the home folder, with ~ and without")
def tilde(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    fill(there, "a")
    for n, path in enumerate(("~/%s/a", "%s/a", there.replace("%", "%%") + "/a", "~%s/" % USER + "%s/a")):
        target = t.path("got%d" % n)
        t.ok(DORY.copy(t, server, R(path % t.name if "%s" in path else path), target))
        files.holds(target, "content of a")


@case("dory to sshd: host: alone is the home folder")
def host_alone(t):
    server = t.lab.server("sshd")
    name = t.name + "-home"
    fill(t.dir, name)
    t.at_end(lambda: os.path.exists(server.root + "/" + name) and os.unlink(server.root + "/" + name))
    t.ok(DORY.copy(t, server, t.path(name), R("")))
    files.holds(server.root + "/" + name, "content of " + name)


# ---- remote to remote, local to local

def between(t, source, target, flags=()):
    """A copy from server to server: the folders at both, the command line up to the paths, what its paths begin with, the target's folder there."""
    a, b = t.lab.server(source), t.lab.server(target)
    from_, to = a.folder(t), b.folder(t)
    if from_ == to:
        os.mkdir(from_ + "/to")
        os.chown(from_ + "/to", sandbox.UID, sandbox.UID)
        to = to + "/to"
    known = files.write(t.path("known"), files.read(a.known) + files.read(b.known))
    argv = [t.lab.dory, "scp", "-i", t.lab.key, "-o", "UserKnownHostsFile=" + known, "-o", "StrictHostKeyChecking=yes", "-B", *flags]
    left, right = ("scp://%s@127.0.0.1:%d/" % (USER, s.port) for s in (a, b))
    return from_, to, argv, left, right, os.path.relpath(to, b.root)


def across(source, target):
    def work(t):
        from_, to, argv, left, right, where = between(t, source, target)
        os.makedirs(from_ + "/tree/sub dir")
        fill(from_ + "/tree", "x y", "z")
        files.write(from_ + "/tree/sub dir/big", files.blob(3 << 20))
        os.utime(from_ + "/tree/z", (1000000000, 1100000000))
        os.chmod(from_ + "/tree/z", 0o640)
        t.ok(t.run(argv + ["-3", "-r", "-p", left + t.name + "/tree", right + where + "/copy"]))
        files.only(to, "copy")
        files.same_tree(to + "/copy", from_ + "/tree", modes=True, times=True)
        t.ok(t.run(argv + [left + t.name + "/tree/z", left + t.name + "/tree/x%20y", right + where]))
        files.holds(to + "/z", "content of z")
        files.holds(to + "/x y", "content of x y")
        t.fails(t.run(argv + [left + t.name + "/missing", right + where + "/got"]), "missing", "no such file")
        t.fails(t.run(argv + [left + t.name + "/tree/z", right + where + "/missing/got"]), "missing/got", "no such file")
        files.only(to, "copy", "z", "x y")
    return work


for source_, target_ in (("sshd", "dropbear"), ("dropbear", "serve"), ("serve", "sshd"), ("serve", "serve"), ("sshd", "sshd")):
    add("dory: from %s to %s through this machine" % (source_, target_), across(source_, target_))


@case("dory: a cut in a copy from host to host leaves the old file")
def across_cut(t):
    a, b = t.lab.server("sshd"), t.lab.server("serve")
    files.write(a.folder(t) + "/source", files.blob(8 << 20), owner=sandbox.UID)
    to = b.folder(t)
    files.write(to + "/old", "old", owner=sandbox.UID)
    proxy = Proxy(t, a, cut=(DOWN, 3 << 20))
    known = files.write(t.path("known"), files.read(known_for(a, proxy.port)) + files.read(b.known))
    result = t.run([t.lab.dory, "scp", "-i", t.lab.key, "-o", "UserKnownHostsFile=" + known, "-o", "StrictHostKeyChecking=yes", "-o",
                    "BatchMode=yes", "scp://%s@127.0.0.1:%d/%s/source" % (USER, proxy.port, t.name),
                    "scp://%s@127.0.0.1:%d/%s/old" % (USER, b.port, t.name)])
    t.fails(result, "127.0.0.1", ("lost", "closed", "reset", "connection"))
    t.eventually(lambda: os.listdir(to) == ["old"], "no debris at the target")
    files.holds(to + "/old", "old")


@case("dory: local to local")
def local(t):
    os.mkdir(t.path("here"))
    fill(t.dir, "a", "b")
    os.utime(t.path("a"), (1000000000, 1100000000))
    os.chmod(t.path("a"), 0o640)
    argv = [t.lab.dory, "scp"]
    t.ok(t.run(argv + ["-p", t.path("a"), t.path("here/copy")]))
    files.holds(t.path("here/copy"), "content of a")
    files.same_mode("copy", os.stat(t.path("here/copy")), os.stat(t.path("a")))
    files.same_times("copy", os.stat(t.path("here/copy")), os.stat(t.path("a")))
    t.ok(t.run(argv + [t.path("a"), t.path("b"), t.path("here")]))
    arrived_all = sorted(os.listdir(t.path("here")))
    t.check(arrived_all == ["a", "b", "copy"], "found %r" % arrived_all)
    files.odd_tree(t.path("tree"), 300, newlines=False)
    t.ok(t.run(argv + ["-r", t.path("tree"), t.path("copied")]))
    files.same_tree(t.path("copied"), t.path("tree"))
    t.fails(t.run(argv + [t.path("a"), t.path("a")]), t.path("a"))
    files.holds(t.path("a"), "content of a")
    t.fails(t.run(argv + ["-r", t.path("tree"), t.path("tree/inside")]), t.path("tree"))
    files.same_tree(t.path("copied"), t.path("tree"))
    t.fails(t.run(argv + [t.path("missing"), t.path("got")]), t.path("missing"), "no such file")


@case("dory to sshd: local names with a colon")
def colon(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    fill(t.dir, "a:b")
    t.ok(DORY.copy(t, server, "./a:b", R(t.name + "/got"), cwd=t.dir))
    files.holds(there + "/got", "content of a:b")
    t.ok(DORY.copy(t, server, t.path("a:b"), R(t.name), cwd=t.dir))
    files.only(there, "got", "a:b")


@case("dory to sshd: -- ends the options")
def end_of_options(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    fill(t.dir, "-r")
    t.ok(t.run(base(t, server, "-P", str(server.port), "--", "-r", "%s@127.0.0.1:%s" % (USER, t.name)), cwd=t.dir))
    arrived(there, "-r")


# ---- options

@case("dory: a wrong command line shows the usage")
def usage(t):
    for args in ([], ["one"], ["-y", "a", "b"], ["-P"], ["-l", "x", "a", "b"]):
        result = t.run([t.lab.dory, "scp"] + args)
        t.fails(result, "usage")
        t.check(result.rc == 1, "status %d instead of 1 for %r" % (result.rc, args))
    t.fails(t.run([t.lab.dory, "scp", "-o", "NoSuchOption=1", "a", "127.0.0.1:b"]), "NoSuchOption")
    t.fails(t.run([t.lab.dory, "scp", "-o", "StrictHostKeyChecking=perhaps", "a", "127.0.0.1:b"]), "perhaps")
    t.fails(t.run([t.lab.dory, "scp", "-P", "0", "a", "127.0.0.1:b"]), "port")
    t.fails(t.run([t.lab.dory, "nothing"]))


@case("dory to sshd: -o in all its spellings")
def spellings(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    fill(t.dir, "a")
    for n, form in enumerate(("UserKnownHostsFile=%s", "UserKnownHostsFile %s", "userknownhostsfile = %s", 'UserKnownHostsFile="%s"')):
        argv = [t.lab.dory, "scp", "-oPort=%d" % server.port, "-oUser=" + USER, "-oIdentityFile=" + t.lab.key, "-oStrictHostKeyChecking=yes",
                "-oBatchMode=yes", "-o" + form % server.known]
        t.ok(t.run(argv + [t.path("a"), "127.0.0.1:%s/%d" % (t.name, n)]))
        files.holds("%s/%d" % (there, n), "content of a")


@case("dory to sshd: -c chooses the cipher")
def cipher(t):
    for name in ("aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"):
        server = t.lab.fresh(t, "sshd", config=["Ciphers " + name])
        there = server.folder(t)
        fill(t.dir, "a")
        t.ok(DORY.copy(t, server, t.path("a"), R(t.name + "/a"), ["-c", name]))
        files.holds(there + "/a", "content of a")
        t.ok(DORY.copy(t, server, t.path("a"), R(t.name + "/b")))
        other = "aes256-gcm@openssh.com" if name[0] == "c" else "chacha20-poly1305@openssh.com"
        t.fails(DORY.copy(t, server, t.path("a"), R(t.name + "/c"), ["-c", other]), "127.0.0.1", "cipher", name)
        files.only(there, "a", "b")
    t.fails(DORY.copy(t, server, t.path("a"), R(t.name + "/c"), ["-c", "rot13"]), "rot13")


@case("dory to sshd: no algorithm in common is told with what each side offers, kind by kind")
def no_common(t):
    for line, words in (("KexAlgorithms diffie-hellman-group14-sha256",
                         ("no common key exchange", "key exchange: theirs diffie-hellman-group14-sha256", "; ours mlkem768x25519-sha256")),
                        ("Ciphers aes128-cbc", ("no common cipher", "cipher: theirs aes128-cbc; ours ", "host key: theirs ssh-ed25519; ours ",
                                                "key exchange: theirs sntrup", "mac: theirs umac", "hmac-sha2-256-etm@openssh.com"))):
        server = t.lab.fresh(t, "sshd", config=[line])
        result = DORY.copy(t, server, R("x"), t.path("x"))
        t.fails(result, "Unable to negotiate with 127.0.0.1 port %d" % server.port, *words)
        t.check(result.rc == 255, "status %d" % result.rc)


@case("dory serve: no algorithm in common is logged with what each side offers")
def no_common_logged(t):
    server = t.lab.server("serve")
    mark = server.log_size()
    t.fails(OPENSSH.copy(t, server, R("x"), t.path("x"), ["-c", "aes128-cbc"]))
    t.eventually(lambda: "MAC: theirs" in server.log_since(mark), "the log tells")
    log = server.log_since(mark)
    for words in ("no common cipher", "cipher: theirs aes128-cbc; ours ", "host key: theirs ", "; ours ssh-ed25519", "key exchange: theirs "):
        t.check(words in log, "no %r in %r" % (words, log))


@case("dory to sshd: -l, -q, -v, -C, -4, -B")
def flags(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    source = files.write(t.path("source"), files.blob(300000))
    for flag in (["-l", "80000"], ["-q"], ["-v"], ["-C"], ["-4"], ["-B"], ["-O"], ["-A"], ["-T"], ["-pqr"]):
        name = "f" + flag[0]
        result = t.ok(DORY.copy(t, server, source, R("%s/%s" % (t.name, name)), flag))
        files.same(os.path.join(there, name), source)
        if flag == ["-v"]:
            t.says(result, "debug1", "127.0.0.1", ("chacha20", "aes256-gcm"))
        else:
            t.check(result.err == b"" and result.out == b"", "it spoke without need: %s" % result.text.strip())
        t.ok(DORY.copy(t, server, R("%s/%s" % (t.name, name)), t.path("back"), flag))
        files.same(t.path("back"), source)
        os.unlink(t.path("back"))


@case("dory to sshd: -l limits the rate")
def limited(t):
    """The limit shows in the order of events: a copy with a limit that was begun first is overtaken by one without."""
    server = t.lab.server("sshd")
    there = server.folder(t)
    source = files.write(t.path("source"), files.blob(400000))
    slow = DORY.copy(t, server, source, R(t.name + "/slow"), ["-l", "800"], start=True)     # 100 kB/s: four seconds
    t.eventually(lambda: not slow.alive() or os.path.exists(there + "/slow"), "the slow copy has begun")
    t.ok(DORY.copy(t, server, source, R(t.name + "/quick")))
    t.check(slow.alive(), "400,000 bytes with -l 800 were as quick as without")
    t.ok(t.end(slow))
    files.same(there + "/slow", source)
    files.same(there + "/quick", source)


@case("dory to sshd: -B never asks")
def batch(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    fill(t.dir, "a")
    empty = files.write(t.path("known"), "")
    argv = [t.lab.dory, "scp", "-B", "-P", str(server.port), "-i", t.lab.wrong_key]
    t.fails(t.run(argv + ["-o", "UserKnownHostsFile=" + empty, t.path("a"), "%s@127.0.0.1:%s" % (USER, t.name)]), "127.0.0.1", "key")
    files.holds(empty, "")
    t.fails(t.run(argv + ["-o", "UserKnownHostsFile=" + server.known, t.path("a"), "%s@127.0.0.1:%s" % (USER, t.name)]), "127.0.0.1", "denied")
    files.only(there)


@case("dory to sshd: StrictHostKeyChecking accept-new and no, without a terminal")
def strict(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    fill(t.dir, "a")
    known = t.path("known")
    to = R(t.name + "/a")
    t.ok(DORY.copy(t, server, t.path("a"), to, known=files.write(known, ""), options=["StrictHostKeyChecking=accept-new"]))
    t.check(files.read(known).split()[:3] == files.read(server.known).split()[:3], "the key was not stored: %r" % files.read(known))
    t.ok(DORY.copy(t, server, t.path("a"), to, known=known))                      # strict now, and known
    t.ok(DORY.copy(t, server, t.path("a"), to, known=files.write(known, ""), options=["StrictHostKeyChecking=no"]))
    t.check(files.read(known).split()[:3] == files.read(server.known).split()[:3], "the key was not stored: %r" % files.read(known))
    server.write_known(known, t.lab.wrong_key)
    old = files.read(known)
    os.unlink(there + "/a")
    t.fails(DORY.copy(t, server, t.path("a"), to, known=known, options=["StrictHostKeyChecking=accept-new"]), "127.0.0.1", known, "changed")
    files.only(there)
    files.holds(known, old)


@case("dory to sshd: what OpenSSH wrote into known_hosts, plain and hashed")
def openssh_known(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    fill(t.dir, "a")
    for hashed in ("no", "yes"):
        known = t.path("known." + hashed)
        new = ["StrictHostKeyChecking=accept-new", "HashKnownHosts=" + hashed]
        t.ok(OPENSSH.copy(t, server, t.path("a"), R(t.name + "/a"), known=known, options=new))
        t.check(files.read(known).startswith(b"|1|") == (hashed == "yes"), "unexpected known_hosts")
        t.ok(DORY.copy(t, server, t.path("a"), R(t.name + "/b"), known=known))
        mine = t.path("mine." + hashed)
        t.ok(DORY.copy(t, server, t.path("a"), R(t.name + "/c"), known=mine, options=new))
        t.check(files.read(mine).startswith(b"|1|") == (hashed == "yes"), "HashKnownHosts=%s was not heeded" % hashed)
        t.ok(OPENSSH.copy(t, server, t.path("a"), R(t.name + "/d"), known=mine))
    arrived_names = sorted(os.listdir(there))
    t.check(arrived_names == ["a", "b", "c", "d"], "found %r" % arrived_names)


@case("dory to sshd: a revoked host key is refused")
def revoked(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    fill(t.dir, "a")
    line = files.read(server.known).decode()
    known = files.write(t.path("known"), line + "@revoked * " + line.split(" ", 1)[1])
    for checking in ("yes", "no"):
        t.fails(DORY.copy(t, server, t.path("a"), R(t.name + "/a"), known=known, options=["StrictHostKeyChecking=" + checking]), "127.0.0.1",
                "revoked")
    files.only(there)


@case("dory to sshd: without a terminal nothing is asked, and it says so")
def no_terminal(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    fill(t.dir, "a")
    argv = [t.lab.dory, "scp", "-P", str(server.port), "-o", "UserKnownHostsFile=" + files.write(t.path("known"), "")]
    t.fails(t.run(argv + ["-i", t.lab.key, t.path("a"), "%s@127.0.0.1:%s" % (USER, t.name)]), "127.0.0.1", "terminal")
    argv[-1] = "UserKnownHostsFile=" + server.known
    t.fails(t.run(argv + ["-i", t.lab.wrong_key, t.path("a"), "%s@127.0.0.1:%s" % (USER, t.name)]), "127.0.0.1", ("terminal", "denied"))
    files.only(there)


@case("dory to sshd: a program in SSH_ASKPASS gives the password")
def askpass(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    fill(t.dir, "a")
    argv = [t.lab.dory, "scp", "-P", str(server.port), "-o", "UserKnownHostsFile=" + server.known, "-o", "PubkeyAuthentication=no", t.path("a"),
            "%s@127.0.0.1:%s" % (USER, t.name)]
    t.ok(t.run(argv, env={"SSH_ASKPASS": ask(sandbox.PASSWORD), "SSH_ASKPASS_REQUIRE": "force"}))
    arrived(there, "a")


@case("dory: a link called scp runs it")
def by_name(t):
    os.symlink(t.lab.dory, t.path("scp"))
    fill(t.dir, "a")
    t.ok(t.run([t.path("scp"), t.path("a"), t.path("b")]))
    files.holds(t.path("b"), "content of a")
    t.fails(t.run([t.path("scp")]), "usage")
