"""`dory scp` by SFTP: against OpenSSH's sftp-server under its own sshd and under Dropbear, internal-sftp, paramiko and `dory serve`, and as a
program on this machine (-D). What holds for SCP holds here, so most of the work is that of the other case files."""
import os

import cases_cli
import cases_cut
import cases_errors
import cases_names
import cases_transfer
from lib import files, sandbox
from lib.case import add, case
from lib.clients import DORY, OPENSSH, Dory, R
from lib.pairs import Pair
from lib.proxy import DOWN, UP, Proxy
from lib.servers import USER, HOST

SFTP_SERVER = "/usr/lib/openssh/sftp-server"


class SftpPair(Pair):
    """dory scp -s with a server."""

    def __init__(self, kind):
        super().__init__(DORY, kind)
        self.name = "dory scp -s to %s" % {"serve": "dory serve", "sftp-server": "sshd"}.get(kind, kind)

    def copy(self, test, sources, target, flags=(), **how):
        return DORY.copy(test, self.server(test), sources, target, ["-s"] + list(flags), **how)


class Direct(Dory):
    """dory scp -D: the server is a program here."""

    def command(self, test, server, sources, target, flags, **how):
        return [test.lab.dory, "scp", "-D", SFTP_SERVER] + flags + list(self.words(server, sources + [target], USER)), {}

    def copy(self, test, server, sources, target, flags=(), cwd=None, **how):
        sources = sources if isinstance(sources, (list, tuple)) else [sources]
        sources = [os.path.join(cwd, s) if cwd and not isinstance(s, R) else s for s in sources]
        return super().copy(test, server, sources, target, flags, cwd=server.root, **how)


class DirectPair(Pair):
    def __init__(self):
        super().__init__(Direct(), "sshd")
        self.name = "dory scp -D"


OPENSSH_SERVER, INTERNAL, DROPBEAR, PARAMIKO, SERVE = (SftpPair(k) for k in ("sftp-server", "internal-sftp", "dropbear", "paramiko", "serve"))
DIRECT = DirectPair()
EVERY = [OPENSSH_SERVER, INTERNAL, DROPBEAR, PARAMIKO, SERVE, DIRECT]


# ---- trees: names arrive as they are, newlines too

def tree_up(pair):
    def work(t):
        there = pair.server(t).folder(t)
        files.odd_tree(t.path("tree"))
        t.ok(pair.copy(t, t.path("tree"), R(t.name + "/arrived"), ["-r"]))
        files.only(there, "arrived")
        files.same_tree(there + "/arrived", t.path("tree"))
    return work


def tree_down(pair):
    def work(t):
        there = pair.server(t).folder(t)
        files.odd_tree(there + "/tree")
        os.mkdir(t.path("here"))
        t.ok(pair.copy(t, R(t.name + "/tree"), t.path("here/arrived"), ["-r"]))
        files.only(t.path("here"), "arrived")
        files.same_tree(t.path("here/arrived"), there + "/tree")
    return work


def aged_tree(top):
    """Times of version 3 have 32 bits."""
    cases_transfer.aged_tree(top)
    os.utime(top + "/file600", (2 ** 32 - 1, 2 ** 32 - 1))


def kept(tree, expected):
    files.same_tree(tree, expected, modes=True, times=True)
    files.same_mode("the tree", os.stat(tree), os.stat(expected))
    files.same_times("the tree", os.stat(tree), os.stat(expected))


def kept_up(pair):
    def work(t):
        there = pair.server(t).folder(t)
        aged_tree(t.path("tree"))
        t.ok(pair.copy(t, t.path("tree"), R(t.name + "/arrived"), ["-p", "-r"]))
        kept(there + "/arrived", t.path("tree"))
    return work


def kept_down(pair):
    def work(t):
        there = pair.server(t).folder(t)
        aged_tree(there + "/tree")
        cases_transfer.owned(there + "/tree")
        t.ok(pair.copy(t, R(t.name + "/tree"), t.path("arrived"), ["-r", "-p"]))
        kept(t.path("arrived"), there + "/tree")
    return work


def sparse(pair):
    """One byte in the middle of nothing, and a file that is larger than it is told to be."""
    def work(t):
        there = pair.server(t).folder(t)
        with open(t.path("sparse"), "wb") as f:
            f.truncate(30 << 20)
            f.seek(20 << 20)
            f.write(b"x")
        t.ok(pair.copy(t, t.path("sparse"), R(t.name + "/up")))
        files.same(there + "/up", t.path("sparse"))
        t.ok(pair.copy(t, R(t.name + "/up"), t.path("down")))
        files.same(t.path("down"), t.path("sparse"))
    return work


def tree_dot(t, pair, there):
    os.makedirs(t.path("tree/sub"))
    cases_cli.fill(t.path("tree"), "x")
    cases_cli.fill(t.path("tree/sub"), "y")
    t.ok(pair.copy(t, ".", R(t.name), ["-r"], cwd=t.path("tree")))
    files.same_tree(there, t.path("tree"))
    for number, path in enumerate(("/.", "/sub/..")):
        here = t.path("here%d" % number)
        os.mkdir(here)
        t.ok(pair.copy(t, R(t.name + path), here, ["-r"]))
        files.same_tree(here, t.path("tree"))


for pair_ in EVERY:
    paramiko = pair_ is PARAMIKO
    for label, size in files.SIZES:
        add("%s: %s, up" % (pair_.name, label), cases_transfer.sizes_up(pair_, size))
        add("%s: %s, down" % (pair_.name, label), cases_transfer.sizes_down(pair_, size))
    if not paramiko:        # it would take minutes
        add("%s: 200 MiB, up" % pair_.name, cases_transfer.big_up(pair_, []))
        add("%s: 200 MiB, down" % pair_.name, cases_transfer.big_down(pair_, []))
        add("%s: 1,000 files with odd names, up" % pair_.name, tree_up(pair_))
        add("%s: 1,000 files with odd names, down" % pair_.name, tree_down(pair_))
        add("%s: -p keeps the access time" % pair_.name, cases_transfer.access_time(pair_))
        add("%s: -p -r keeps times and modes, down" % pair_.name, kept_down(pair_))
        add("%s: special characters in the remote path, up" % pair_.name, cases_names.special_up(pair_))
        add("%s: special characters in the remote path, down" % pair_.name, cases_names.special_down(pair_))
    add("%s: sparse files" % pair_.name, sparse(pair_))
    add("%s: -p -r keeps times and modes, up" % pair_.name, kept_up(pair_))
    add("%s: mode and time without -p" % pair_.name, cases_transfer.mode_without_p(pair_))
    add("%s: a shorter file replaces a longer one" % pair_.name, cases_transfer.replaces(pair_))
    add("%s: globs in the remote path" % pair_.name, cases_names.globs(pair_))
    for label, work in (("missing remote file", cases_errors.missing_remote), ("one of two remote files missing", cases_errors.missing_one_of_two),
                        ("missing remote folder", cases_errors.missing_folder), ("missing local file", cases_errors.missing_local),
                        ("full disk, down", cases_errors.full_local)):
        add("%s: %s" % (pair_.name, label), work(pair_))
    if pair_ is not DIRECT:     # which has root's rights
        add("%s: no permission to read, down" % pair_.name, cases_errors.forbidden_remote_read(pair_))
        add("%s: no permission to write, up" % pair_.name, cases_errors.forbidden_remote_write(pair_))
        add("%s: no permission for one file of a tree, down" % pair_.name, cases_errors.forbidden_in_tree(pair_))
        for way in (True, False):
            label = "reset" if way else "closed"
            add("%s: connection %s in the middle, up" % (pair_.name, label), cases_cut.cut_up(pair_, way))
            add("%s: connection %s in the middle, down" % (pair_.name, label), cases_cut.cut_down(pair_, way))
        add("%s: connection cut in a tree, down" % pair_.name, cases_cut.cut_tree_down(pair_))
    for label, work in (("several files, up", cases_cli.several_up), ("several files, down", cases_cli.several_down),
                        ("several files need a folder", cases_cli.several_into_file),
                        ("a target that is a folder takes the file under its name", cases_cli.into_folder),
                        ("a slash behind a target that is no folder", cases_cli.slash_behind),
                        ("a file does not replace a folder, down", cases_cli.file_over_folder_down),
                        ("a folder does not replace a file", cases_cli.folder_over_file),
                        ("a folder without -r is left out, the file beside it arrives", cases_cli.folder_without_r),
                        ("-r of an empty folder", cases_cli.empty_folder),
                        ("-r into a folder that is there, and one that is not", cases_cli.tree_target),
                        ("-r of . copies what is inside", tree_dot),
                        ("-r over a tree that is there replaces files and keeps the others", cases_cli.tree_again),
                        ("links: a file's is followed, a loop ends, one that dangles is told", cases_cli.links),
                        ("a download over a link replaces what the link names, or the link", cases_cli.over_link),
                        ("90 sources at once", cases_cli.ninety)):
        add("%s: %s" % (pair_.name, label), lambda t, pair=pair_, work=work: work(t, pair, pair.server(t).folder(t)))
