"""Work on a link of 200 ms. What it costs there is counted in turns, ways across the link in either direction: a clock would measure this
machine.

Each limit is what was seen plus one round trip. What OpenSSH's own client and server need for the same work is counted beside it, and Dory
at either end must not need more.
"""
import os

from lib import files, sandbox
from lib.case import add
from lib.clients import DORY, OPENSSH, OPENSSH_SFTP, R
from lib.link import Link
from lib.proxy import DOWN, UP

SIZE = 8 << 20      # four windows of OpenSSH's
MANY = 40           # more than dory scp -s has under way at once
FEW = 4             # where each file has its own turns


class Way:
    def __init__(self, name, client, kind, flags=()):
        self.name, self.client, self.kind, self.flags = name, client, kind, list(flags)

    def turns(self, t, way, make, same, flags=()):
        """make(folder, name) makes the source, same(copy, source) compares."""
        server = t.lab.server(self.kind)
        there = server.folder(t)
        near, far = (t.dir, there) if way is UP else (there, t.dir)
        make(near, self.client.name + "-source")
        ends = {near: self.client.name + "-source", far: self.client.name + "-copy"}
        paths = {t.dir: t.path(ends[t.dir]), there: R("%s/%s" % (t.name, ends[there]))}
        link = Link(t, server)
        t.ok(self.client.copy(t, server, paths[near], paths[far], self.flags + list(flags), port=link.port))
        same(os.path.join(far, ends[far]), os.path.join(near, ends[near]))
        return link.turns


def one(folder, name):
    files.write(os.path.join(folder, name), files.blob(SIZE))


def tree(count):
    def make(folder, name):
        top = os.path.join(folder, name)
        os.mkdir(top)
        for i in range(count):
            files.write(os.path.join(top, "file%d" % i), files.blob(4096, seed=i))
        for path in (top, *(os.path.join(top, f) for f in os.listdir(top))):
            os.chown(path, sandbox.UID, sandbox.UID)
    return make


SFTP_DORY, SCP_DORY = Way("dory scp -s to sshd", DORY, "sftp-server", ["-s"]), Way("dory scp to sshd", DORY, "sftp-server")
SFTP_SERVED, SCP_SERVED = Way("openssh scp to dory serve", OPENSSH_SFTP, "serve"), Way("openssh scp -O to dory serve", OPENSSH, "serve")
SFTP_BOTH, SCP_BOTH = Way("dory scp -s to dory serve", DORY, "serve", ["-s"]), Way("dory scp to dory serve", DORY, "serve")
SFTP_STOCK, SCP_STOCK = Way("openssh scp to sshd", OPENSSH_SFTP, "sftp-server"), Way("openssh scp -O to sshd", OPENSSH, "sftp-server")
seen = {}


def stock(t, way, what, by, *how):
    """OpenSSH at both ends, counted once."""
    key = (by.name, way, what)
    if key not in seen:
        seen[key] = by.turns(t, way, *how)
    return seen[key]


def limited(ours, theirs, way, what, limit, *how):
    def work(t):
        turns = ours.turns(t, way, *how)
        t.check(turns <= limit, "%d turns where %d do" % (turns, limit))
        others = stock(t, way, what, theirs, *how)
        t.check(turns <= others, "%d turns where OpenSSH needs %d" % (turns, others))
    return work


LIMITS = (
    # whose, beside whose; 8 MiB up, down; 4 files of a tree up, down
    (SCP_DORY, SCP_STOCK, 26, 26, 34, 34),
    (SFTP_DORY, SFTP_STOCK, 30, 32, 24, 28),
    (SCP_SERVED, SCP_STOCK, 31, 29, 39, 37),
    (SFTP_SERVED, SFTP_STOCK, 41, 45, 61, 67),
    (SCP_BOTH, SCP_STOCK, 25, 23, 33, 31),
    (SFTP_BOTH, SFTP_STOCK, 29, 29, 23, 25),
)
for ours_, theirs_, *limits_ in LIMITS:
    for way_, limit_ in ((UP, limits_[0]), (DOWN, limits_[1])):
        add("%s: 8 MiB on a link of 200 ms, %s" % (ours_.name, way_), limited(ours_, theirs_, way_, SIZE, limit_, one, files.same))
    for way_, limit_ in ((UP, limits_[2]), (DOWN, limits_[3])):
        add("%s: -r of %d files on a link of 200 ms, %s" % (ours_.name, FEW, way_),
            limited(ours_, theirs_, way_, FEW, limit_, tree(FEW), files.same_tree, ["-r"]))


def however_many(ours, way, limit):
    """The number of files does not count."""
    def work(t):
        turns = ours.turns(t, way, tree(MANY), files.same_tree, ["-r"])
        t.check(turns <= limit, "%d turns where %d do" % (turns, limit))
    return work


for ours_, limits_ in ((SFTP_DORY, (28, 32)), (SFTP_BOTH, (27, 29))):
    for way_, limit_ in zip((UP, DOWN), limits_):
        add("%s: -r of %d files on a link of 200 ms, %s" % (ours_.name, MANY, way_), however_many(ours_, way_, limit_))
