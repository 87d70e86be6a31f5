"""`dory scp` by SFTP: against OpenSSH's sftp-server under its own sshd and under Dropbear, internal-sftp, paramiko and `dory serve`, and as a
program on this machine (-D). What holds for SCP holds here, so most of the work is that of the other case files."""
import os
import shutil
import signal

import cases_cli
import cases_cut
import cases_errors
import cases_names
import cases_terminal
import cases_transfer
from lib import files, sandbox
from lib.case import add, case
from lib.clients import DORY, OPENSSH_SFTP, Dory, R
from lib.pairs import Pair
from lib.proxy import DOWN, UP, Proxy
from lib.servers import USER
from lib.terminal import Terminal

SFTP_SERVER = "/usr/lib/openssh/sftp-server"


class SftpPair(Pair):
    """dory scp -s with a server."""
    by_sftp = True

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
    by_sftp = True

    def __init__(self):
        super().__init__(Direct(), "sshd")
        self.name = "dory scp -D"


OPENSSH_SERVER, INTERNAL, DROPBEAR, PARAMIKO, SERVE = (SftpPair(k) for k in ("sftp-server", "internal-sftp", "dropbear", "paramiko", "serve"))
DIRECT = DirectPair()
EVERY = [OPENSSH_SERVER, INTERNAL, DROPBEAR, PARAMIKO, SERVE, DIRECT]


# ---- trees: names arrive as they are, newlines too

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


def link_in_target(t, pair, there):
    """A link in the place of a folder is not followed, even within the target."""
    os.makedirs(there + "/tree/sub")
    cases_cli.fill(there + "/tree/sub", "x")
    os.makedirs(t.path("here/tree"))
    os.mkdir(t.path("here/other"))
    os.symlink("../other", t.path("here/tree/sub"))
    t.fails(pair.copy(t, R(t.name + "/tree"), t.path("here"), ["-r"]), "tree/sub")
    files.only(t.path("here/other"))
    t.check(os.path.islink(t.path("here/tree/sub")), "the link was replaced")


for pair_ in EVERY:
    paramiko = pair_ is PARAMIKO
    for label, size in files.SIZES:
        add("%s: %s, up" % (pair_.name, label), cases_transfer.sizes_up(pair_, size))
        add("%s: %s, down" % (pair_.name, label), cases_transfer.sizes_down(pair_, size))
    if not paramiko:        # it would take minutes
        add("%s: 200 MiB, up" % pair_.name, cases_transfer.big_up(pair_, []))
        add("%s: 200 MiB, down" % pair_.name, cases_transfer.big_down(pair_, []))
        add("%s: 1,000 files with odd names, up" % pair_.name, cases_transfer.tree_up(pair_, newlines=True))
        add("%s: 1,000 files with odd names, down" % pair_.name, cases_transfer.tree_down(pair_, newlines=True))
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
                        ("a folder without -r is left out by the name of . too", cases_cli.dot_without_r),
                        ("-r of an empty folder", cases_cli.empty_folder),
                        ("-r into a folder that is there, and one that is not", cases_cli.tree_target),
                        ("-r of . copies what is inside", tree_dot),
                        ("-r over a tree that is there replaces files and keeps the others", cases_cli.tree_again),
                        ("links: a file's is followed, a loop ends, one that dangles is told", cases_cli.links),
                        ("a download over a link replaces what the link names, or the link", cases_cli.over_link),
                        ("a link in the target is not followed", link_in_target),
                        ("90 sources at once", cases_cli.ninety)):
        add("%s: %s" % (pair_.name, label), lambda t, pair=pair_, work=work: work(t, pair, pair.server(t).folder(t)))


# ---- at a terminal

@case("dory scp -s to sshd: the meter shows each file, one after the other")
def meter(t):
    server = OPENSSH_SERVER.server(t)
    there = server.folder(t)
    os.mkdir(there + "/tree")
    names = ["file%02d" % i for i in range(40)]
    for i, name in enumerate(names):
        files.write(there + "/tree/" + name, files.blob(i * 1000), owner=sandbox.UID)
    terminal = Terminal(t, cases_terminal.typed(t, server, "-s", "-r", cases_terminal.remote(t.name + "/tree"), t.path("got")))
    result = t.ok(t.hear(terminal.end()))
    lines = [line.split("\r")[-1] for line in result.text.replace("\r\n", "\n").split("\n") if "100%" in line]
    t.check(sorted(line.split()[0] for line in lines) == names, "%d lines at the end of files: %r" % (len(lines), lines[:3]))
    files.same_tree(t.path("got"), there + "/tree")


for way_ in (UP, DOWN):
    add("dory scp -s to sshd: Ctrl-C in the middle, %s" % way_, cases_terminal.interrupted(OPENSSH_SERVER.kind, way_, "-s"))


# ---- where there is no scp

def fallback(kind, setting, more=()):
    """No option asks for SFTP: the host does, by what it says to scp."""
    def work(t):
        server = t.lab.fresh(t, kind, **setting)
        there = server.folder(t)
        source = files.write(t.path("source"), files.blob(100000))
        os.mkdir(t.path("tree"))
        cases_cli.fill(t.path("tree"), "x", "y")
        for flags in ((), ("-v",)):
            result = t.ok(DORY.copy(t, server, [source, t.path("tree")], R(t.name), ["-r"] + list(flags) + list(more)))
            files.same(there + "/source", source)
            files.same_tree(there + "/tree", t.path("tree"))
            if not flags:
                t.check(not result.err, "something was said: %s" % result.err)
        os.mkdir(t.path("here"))
        result = t.ok(DORY.copy(t, server, [R(t.name + "/source"), R(t.name + "/tre*")], t.path("here"), ["-r"] + list(more)))
        files.same(t.path("here/source"), source)
        files.same_tree(t.path("here/tree"), t.path("tree"))
        t.check(not result.err, "something was said: %s" % result.err)
        t.fails(DORY.copy(t, server, R(t.name + "/none"), t.path("here/none"), more), t.name + "/none", "no such file")
        files.only(t.path("here"), "source", "tree")
        t.fails(DORY.copy(t, server, source, R(t.name + "/scp"), ["-O"] + list(more)))
        files.only(there, "source", "tree")
    return work


SUBSYSTEM = "Subsystem sftp " + SFTP_SERVER
add("dory to sshd without scp: SFTP is taken", fallback("sshd", {"config": [SUBSYSTEM, "SetEnv PATH=/nowhere"]}))
add("dory to sshd with ForceCommand internal-sftp: SFTP is taken",
    fallback("sshd", {"config": ["Subsystem sftp internal-sftp", "ForceCommand internal-sftp"]}))
add("dory to paramiko, which runs no commands: SFTP is taken", fallback("paramiko", {}))


@case("dory to sshd with neither scp nor SFTP: both are told")
def neither(t):
    server = t.lab.fresh(t, "sshd", config=["SetEnv PATH=/nowhere"])
    server.folder(t)
    source = files.write(t.path("source"), "x")
    result = t.fails(DORY.copy(t, server, source, R(t.name)), "127.0.0.1", "no scp program", "no sftp")
    t.check(result.rc == 1, "status %d" % result.rc)
    t.fails(DORY.copy(t, server, R(t.name + "/x"), t.path("x")), "127.0.0.1", "no scp program", "no sftp")
    t.fails(DORY.copy(t, server, source, R(t.name), ["-s"]), "127.0.0.1", "no sftp")
    t.fails(DORY.copy(t, server, source, R(t.name), ["-O"]), "127.0.0.1", "no scp program")


@case("dory to sshd: an scp that fails is no reason to try SFTP")
def no_fallback(t):
    server = t.lab.fresh(t, "sshd", config=[SUBSYSTEM])
    there = server.folder(t)
    source = files.write(t.path("source"), "x")
    t.fails(DORY.copy(t, server, source, R(t.name + "/missing/x")), "missing/x", "no such file")
    server = t.lab.fresh(t, "sshd", config=[SUBSYSTEM, "ForceCommand printf '\\000'; echo gone: not found >&2; exit 127"])
    result = t.fails(DORY.copy(t, server, source, R(t.name)), "gone: not found")
    t.check(b"subsystem" not in result.err, "SFTP was tried")
    files.only(there)


@case("dory: -D names a program that is not there, one that is none, and one that ends at once")
def no_server_program(t):
    talks = files.write(t.path("talks"), "#!/bin/sh\necho Welcome to this machine\ncat\n", mode=0o755)
    for program, words in (("/nowhere/sftp-server", ("no such file",)), ("/bin/false", ()), (talks, ("login script",))):
        result = t.run([t.lab.dory, "scp", "-D", program, "x:y", t.path("y")])
        t.fails(result, *words)
        t.check(result.err, "nothing was said of %s" % program)
    t.fails(t.run([t.lab.dory, "scp", "-D", SFTP_SERVER, "one:x", "two:y"]), "-D")
    files.only(t.dir, "talks")


@case("dory scp -s to sshd: several files to a folder, a file, or nothing: the exit status is that of OpenSSH's scp")
def several_status(t):
    server = t.lab.server("sftp-server")
    there = server.folder(t)
    cases_cli.fill(t.dir, "a", "b")
    cases_cli.fill(there, "target")
    os.mkdir(t.path("folder"))
    for sources, target in ((["a", "b"], "target"), (["a", "b"], "target/"), (["a", "b"], "target/x"), (["a", "folder"], ""),
                            (["a", "missing"], ""), (["a", "b"], "new"), (["a", "b"], "no/new")):
        sources = [t.path(s) for s in sources]
        theirs = OPENSSH_SFTP.copy(t, server, sources, R("%s/%s" % (t.name, target)))
        if target == "new":
            shutil.rmtree(there + "/new")
        ours = DORY.copy(t, server, sources, R("%s/%s" % (t.name, target)), ["-s"])
        t.check(ours.rc == theirs.rc, "%s to %s: status %d, of OpenSSH's %d" % (sources, target, ours.rc, theirs.rc))


def inherited_ignored():
    """What a program that these tests start finds ignored: what the tests found (a shell's background job has SIGQUIT), not what Python added."""
    with open("/proc/self/status") as f:
        found = int(next(line for line in f if line.startswith("SigIgn:")).split()[1], 16)
    return found & ~sum(1 << (n - 1) for n in (signal.SIGPIPE, signal.SIGXFSZ))


@case("dory: -D starts its program with signals as a shell would")
def server_signals(t):
    program = files.write(t.path("program"), "#!/bin/sh\ngrep SigIgn /proc/$$/status > %s\nexec %s\n" % (t.path("signals"), SFTP_SERVER), mode=0o755)
    files.write(t.path("source"), "content")
    t.ok(t.run([t.lab.dory, "scp", "-D", program, t.path("source"), "x:" + t.path("copy")]))
    files.holds(t.path("copy"), "content")
    files.holds(t.path("signals"), "SigIgn:\t%016x\n" % inherited_ignored())


# ---- from host to host

def across(source, target, flags):
    def work(t):
        from_, to, argv, left, right, where = cases_cli.between(t, source, target, flags)
        os.makedirs(from_ + "/tree/sub dir/deep")
        os.mkdir(from_ + "/tree/empty")
        os.mkdir(from_ + "/tree/last")
        cases_cli.fill(from_ + "/tree", "x y", "z")
        for i in range(60):
            files.write(from_ + "/tree/last/%d" % i, files.blob(i * 700, seed=i))
        files.write(from_ + "/tree/sub dir/big", files.blob(9 << 20))
        files.write(from_ + "/tree/sub dir/deep/none", b"")
        os.utime(from_ + "/tree/z", (1000000000, 1100000000))
        os.chmod(from_ + "/tree/z", 0o640)
        cases_transfer.owned(from_ + "/tree")
        os.chown(from_ + "/tree/sub dir/deep/none", sandbox.UID, sandbox.UID)
        t.ok(t.run(argv + ["-3", "-r", "-p", left + t.name + "/tree", right + where + "/copy"]))
        files.only(to, "copy")
        files.same_tree(to + "/copy", from_ + "/tree", modes=True, times=True)
        t.ok(t.run(argv + [left + t.name + "/tree/z", left + t.name + "/tree/x%20y", right + where]))
        files.holds(to + "/z", "content of z")
        files.holds(to + "/x y", "content of x y")
        t.ok(t.run(argv + [left + t.name + "/tree/[xz]*", right + where + "/copy/empty"]))
        files.only(to + "/copy/empty", "x y", "z")
        t.fails(t.run(argv + [left + t.name + "/missing", right + where + "/got"]), "missing", "no such file")
        t.fails(t.run(argv + [left + t.name + "/tree/z", right + where + "/missing/got"]), "missing/got", "no such file")
        t.fails(t.run(argv + ["-r", left + t.name + "/tree", right + where + "/z"]), where + "/z", ("not a directory", "file exists"))
        files.only(to, "copy", "z", "x y")
        files.holds(to + "/z", "content of z")
    return work


for source_, target_ in (("sftp-server", "dropbear"), ("dropbear", "serve"), ("serve", "internal-sftp"), ("sftp-server", "sftp-server"),
                         ("paramiko", "sftp-server"), ("serve", "paramiko")):
    add("dory scp -s: from %s to %s through this machine" % (source_, target_), across(source_, target_, ["-s"]))
add("dory: from a host without scp to one through this machine", across("paramiko", "internal-sftp", []))
add("dory: from a host to one without scp through this machine", across("sftp-server", "paramiko", []))


# ---- a long way: what is under way without an answer is what fills it

WINDOW = 2 << 20        # of an SSH channel, OpenSSH's and ours


def full_up(pair):
    def work(t):
        server = pair.server(t)
        there = server.folder(t)
        source = files.write(t.path("source"), files.blob(8 << 20))
        proxy = Proxy(t, server, stall=(DOWN, 12000))   # behind the handshake and the first answers
        process = pair.copy(t, source, R(t.name + "/arrived"), port=proxy.port, start=True)
        t.eventually(lambda: proxy.forwarded[UP] >= WINDOW * 9 // 10 or not process.alive(), "2 MiB go out without an answer")
        proxy.release()
        t.ok(t.end(process))
        files.same(there + "/arrived", source)
    return work


def full_down(pair):
    def work(t):
        server = pair.server(t)
        source = files.write(server.folder(t) + "/source", files.blob(8 << 20), owner=sandbox.UID)
        proxy = Proxy(t, server, stall=(UP, 12000))     # some requests behind the handshake
        process = pair.copy(t, R(t.name + "/source"), t.path("arrived"), port=proxy.port, start=True)
        t.eventually(lambda: proxy.forwarded[DOWN] >= WINDOW * 9 // 10 or not process.alive(), "2 MiB come in without another request")
        proxy.release()
        t.ok(t.end(process))
        files.same(t.path("arrived"), source)
    return work


for pair_ in (OPENSSH_SERVER, DROPBEAR):
    if pair_ is OPENSSH_SERVER:     # Dropbear's window is smaller
        add("%s: a long link is filled, up" % pair_.name, full_up(pair_))
    add("%s: a long link is filled, down" % pair_.name, full_down(pair_))
