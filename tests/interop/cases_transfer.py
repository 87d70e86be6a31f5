"""Files of every size, a tree with odd names, modes and times: each client with each server, up and down."""
import os

from lib import files, sandbox
from lib.case import add
from lib.clients import R
from lib.pairs import ALL


def sizes_up(pair, size):
    def work(t):
        there = pair.server(t).folder(t)
        source = files.write(t.path("source"), files.blob(size))
        t.ok(pair.copy(t, source, R(t.name + "/arrived")))
        files.same(there + "/arrived", source)
        files.only(there, "arrived")
    return work


def sizes_down(pair, size):
    def work(t):
        there = pair.server(t).folder(t)
        source = files.write(there + "/source", files.blob(size), owner=sandbox.UID)
        os.mkdir(t.path("here"))
        t.ok(pair.copy(t, R(t.name + "/source"), t.path("here/arrived")))
        files.same(t.path("here/arrived"), source)
        files.only(t.path("here"), "arrived")
    return work


def big_up(pair, options):
    def work(t):
        there = pair.server(t).folder(t)
        t.ok(pair.copy(t, t.lab.big(), R(t.name + "/arrived"), options=options))
        files.same(there + "/arrived", t.lab.big())
        files.only(there, "arrived")
    return work


def big_down(pair, options):
    def work(t):
        there = pair.server(t).folder(t)
        os.link(t.lab.big(), there + "/source")
        t.ok(pair.copy(t, R(t.name + "/source"), t.path("arrived"), options=options))
        files.same(t.path("arrived"), t.lab.big())
    return work


def sends_newlines(pair):
    return pair.client.name != "paramiko"


def tree_up(pair, newlines=False):
    """newlines: those in names arrive as they are, which SCP cannot do."""
    def work(t):
        there = pair.server(t).folder(t)
        files.odd_tree(t.path("tree"), newlines=newlines or sends_newlines(pair))
        t.ok(pair.copy(t, t.path("tree"), R(t.name + "/arrived"), ["-r"]))
        files.only(there, "arrived")
        files.same_tree(there + "/arrived", t.path("tree"), arrives=files.as_it_is if newlines else files.newline_arrives)
    return work


def tree_down(pair, newlines=False):
    def work(t):
        there = pair.server(t).folder(t)
        files.odd_tree(there + "/tree")
        os.mkdir(t.path("here"))
        t.ok(pair.copy(t, R(t.name + "/tree"), t.path("here/arrived"), ["-r"]))
        files.only(t.path("here"), "arrived")
        files.same_tree(t.path("here/arrived"), there + "/tree", arrives=files.as_it_is if newlines else files.newline_arrives)
    return work


def aged_tree(top):
    """Modes and times of many kinds."""
    os.mkdir(top)
    made = []
    for mode in (0o600, 0o640, 0o644, 0o400, 0o755, 0o700, 0o777, 0o604):
        made.append((files.write("%s/file%o" % (top, mode), "mode %o" % mode), mode))
        folder = "%s/folder%o" % (top, mode)
        os.mkdir(folder)
        made.append((files.write(folder + "/inside", "inside"), mode))
        made.append((folder, mode | 0o700))
    for age, (path, mode) in enumerate(reversed(made)):
        os.chmod(path, mode)
        os.utime(path, (1000000000 + age * 86413, 1100000000 - age * 86413), follow_symlinks=False)
    os.utime("%s/file600" % top, (2 ** 32 + 5, 2 ** 32 + 7))        # beyond 32 bits
    os.utime("%s/file640" % top, (0, 0))
    os.chmod(top, 0o750)
    os.utime(top, (1200000000, 1200000001))


def owned(top):
    for folder, dirs, names in os.walk(top):
        for name in dirs + names:
            os.chown(os.path.join(folder, name), sandbox.UID, sandbox.UID)
    os.chown(top, sandbox.UID, sandbox.UID)


def kept_up(pair):
    def work(t):
        there = pair.server(t).folder(t)
        aged_tree(t.path("tree"))
        t.ok(pair.copy(t, t.path("tree"), R(t.name + "/arrived"), ["-p", "-r"]))
        files.same_tree(there + "/arrived", t.path("tree"), modes=True, times=True)
        info = os.stat(there + "/arrived")
        files.same_mode("the tree", info, os.stat(t.path("tree")))
        files.same_times("the tree", info, os.stat(t.path("tree")))
    return work


def kept_down(pair):
    def work(t):
        there = pair.server(t).folder(t)
        aged_tree(there + "/tree")
        owned(there + "/tree")
        t.ok(pair.copy(t, R(t.name + "/tree"), t.path("arrived"), ["-r", "-p"]))
        files.same_tree(t.path("arrived"), there + "/tree", modes=True, times=True)
        info = os.stat(t.path("arrived"))
        files.same_mode("the tree", info, os.stat(there + "/tree"))
        files.same_times("the tree", info, os.stat(there + "/tree"))
    return work


def access_time(pair):
    """The access time travels too; reading the source at the server may change it there, so it is compared for an upload."""
    def work(t):
        there = pair.server(t).folder(t)
        source = files.write(t.path("source"), "x")
        os.utime(source, (1234567890, 1000000000))
        t.ok(pair.copy(t, source, R(t.name + "/arrived"), ["-p"]))
        found = os.stat(there + "/arrived")
        t.check(int(found.st_atime) == 1234567890, "access time is %d instead of 1234567890" % found.st_atime)
        t.check(int(found.st_mtime) == 1000000000, "modification time is %d" % found.st_mtime)
    return work


def mode_without_p(pair):
    """Without -p a new file has the source's mode under the umask, no setuid bit, and a time of its own."""
    def work(t):
        there = pair.server(t).folder(t)
        source = files.write(t.path("source"), "x", mode=0o4775)
        os.utime(source, (1000000000, 1000000000))
        t.ok(pair.copy(t, source, R(t.name + "/arrived")))
        info = os.stat(there + "/arrived")
        t.check(info.st_mode & 0o7777 == 0o755, "mode is %o instead of 755" % (info.st_mode & 0o7777))
        t.check(info.st_mtime > 1500000000, "time was kept without -p")
    return work


def replaces(pair):
    """A longer file, with another mode, gives way to a shorter one."""
    def work(t):
        there = pair.server(t).folder(t)
        source = files.write(t.path("source"), "new", mode=0o644)
        files.write(there + "/old", files.blob(100000), mode=0o600, owner=sandbox.UID)
        t.ok(pair.copy(t, source, R(t.name + "/old")))
        files.holds(there + "/old", "new")
        files.only(there, "old")
    return work


def password(pair):
    def work(t):
        there = pair.server(t).folder(t)
        source = files.write(t.path("source"), files.blob(5000))
        t.ok(pair.copy(t, source, R(t.name + "/arrived"), password=sandbox.PASSWORD))
        files.same(there + "/arrived", source)
        t.ok(pair.copy(t, R(t.name + "/arrived"), t.path("back"), password=sandbox.PASSWORD))
        files.same(t.path("back"), source)
    return work


for pair_ in ALL:
    for label, bytes_ in files.SIZES:
        add("%s: %s, up" % (pair_.name, label), sizes_up(pair_, bytes_))
        add("%s: %s, down" % (pair_.name, label), sizes_down(pair_, bytes_))
    ciphers = {"openssh": ("chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com"), "dory": ("chacha20-poly1305@openssh.com",)}
    if pair_.name == "dory to sshd":
        ciphers["dory"] += ("aes256-gcm@openssh.com",)
    for cipher in ciphers.get(pair_.client.name, (None,)):
        label = "200 MiB" + (" with %s" % cipher.split("@")[0] if cipher else "")
        add("%s: %s, up" % (pair_.name, label), big_up(pair_, ["Ciphers=" + cipher] if cipher else []))
        add("%s: %s, down" % (pair_.name, label), big_down(pair_, ["Ciphers=" + cipher] if cipher else []))
    add("%s: 1,000 files with odd names, up" % pair_.name, tree_up(pair_))
    add("%s: 1,000 files with odd names, down" % pair_.name, tree_down(pair_))
    add("%s: -p -r keeps times and modes, up" % pair_.name, kept_up(pair_))
    add("%s: -p -r keeps times and modes, down" % pair_.name, kept_down(pair_))
    add("%s: -p keeps the access time" % pair_.name, access_time(pair_))
    add("%s: mode and time without -p" % pair_.name, mode_without_p(pair_))
    add("%s: a shorter file replaces a longer one" % pair_.name, replaces(pair_))
    add("%s: password authentication" % pair_.name, password(pair_))
