"""SFTP of `dory serve` against the clients that people have: OpenSSH's scp and sftp, paramiko, lftp."""
import os
import signal
import sys
import time

from cases_errors import disk_with_old
from lib import files, sandbox
from lib.case import add, case
from lib.clients import OPENSSH, OPENSSH_SFTP as SCP, SSH_, R, known_for
from lib.proxy import UP, Proxy
from lib.servers import USER

NO_SPACE = ("no space", "failure")      # OpenSSH shows the code of an SFTP error, not its text


def sftp(t, server, batch, flags=(), **how):
    """OpenSSH's sftp with a batch of commands; a line that begins with - may fail."""
    argv, env = SSH_.command(t, server, [], None, list(flags), **how)
    argv = ["/usr/bin/sftp"] + argv[1:-1] + ["-b", files.write(t.path("batch"), "\n".join(batch) + "\n"), "%s@%s" % (USER, server.host)]
    return t.run(argv, env=env)


def served(t, data, *path, **how):
    """A file below the server's folder, of the server's user."""
    return files.write(os.path.join(t.lab.server("serve").root, t.name, *path), data, owner=sandbox.UID, **how)


def owned(top):
    for folder, dirs, names in os.walk(top):
        for name in [folder] + [os.path.join(folder, n) for n in dirs + names]:
            os.lchown(name, sandbox.UID, sandbox.UID)


# ---- OpenSSH's scp

@case("openssh to dory serve: scp by SFTP, both ways")
def scp_both_ways(t):
    server = t.lab.server("serve")
    there = server.folder(t)
    for size in (0, 1, 32767, 32768, 32769, 261120, 261121, 9000001):
        path = files.write(t.path("f%d" % size), files.blob(size, size))
        t.ok(SCP.copy(t, server, path, R(t.name + "/up%d" % size)))
        files.same(there + "/up%d" % size, path)
        t.ok(SCP.copy(t, server, R(t.name + "/up%d" % size), t.path("down%d" % size)))
        files.same(t.path("down%d" % size), path)
    t.ok(SCP.copy(t, server, t.path("f1"), R(t.name + "/up9000001")))       # over a longer one, and an empty one over that
    files.same(there + "/up9000001", t.path("f1"))
    t.ok(SCP.copy(t, server, t.path("f0"), R(t.name + "/up9000001")))
    files.same(there + "/up9000001", t.path("f0"))
    files.only(there, *["up%d" % n for n in (0, 1, 32767, 32768, 32769, 261120, 261121, 9000001)])


@case("openssh to dory serve: scp by SFTP, -r -p, odd names, modes and times")
def scp_trees(t):
    server = t.lab.server("serve")
    there = server.folder(t)
    files.odd_tree(t.path("tree"), newlines=False)
    os.chmod(t.path("tree"), 0o750)
    for path, info in files.listing(t.path("tree")).items():
        full = os.path.join(os.fsencode(t.path("tree")), path)
        if os.path.isfile(full):
            os.chmod(full, 0o640)
        os.utime(full, (1000000000, 1100000000 + len(path)))
    t.ok(SCP.copy(t, server, t.path("tree"), R(t.name + "/up"), ["-r", "-p"]))
    files.same_tree(there + "/up", t.path("tree"), modes=True, times=True)
    t.ok(SCP.copy(t, server, R(t.name + "/up"), t.path("down"), ["-r", "-p"]))
    files.same_tree(t.path("down"), t.path("tree"), modes=True, times=True)


@case("openssh to dory serve: scp by SFTP, 200 MiB both ways")
def scp_big(t):
    server = t.lab.server("serve")
    there = server.folder(t)
    t.ok(SCP.copy(t, server, t.lab.big(), R(t.name + "/big")))
    files.same(there + "/big", t.lab.big())
    t.ok(SCP.copy(t, server, R(t.name + "/big"), t.path("big")))
    files.same(t.path("big"), t.lab.big())


def scp_cut(reset):
    def work(t):
        server = t.lab.server("serve")
        there = server.folder(t)
        served(t, "old", "old")
        served(t, files.blob(6 << 20, seed=9), "longer")
        source = files.write(t.path("source"), files.blob(8 << 20))
        proxy = Proxy(t, server, cut=(UP, 3 << 20), reset=reset)
        for name in ("old", "longer", "new"):
            t.fails(SCP.copy(t, server, source, R("%s/%s" % (t.name, name)), port=proxy.port))
            t.check(proxy.reached.is_set(), "the connection was not cut")
        t.eventually(lambda: sorted(os.listdir(there)) == ["longer", "old"], "only what was there: %s" % os.listdir(there))
        files.holds(there + "/old", "old")
        files.same(there + "/longer", files.write(t.path("longer"), files.blob(6 << 20, seed=9)))
        t.ok(SCP.copy(t, server, source, R(t.name + "/longer")))
        files.same(there + "/longer", source)
    return work


add("openssh to dory serve: scp by SFTP, cut by a reset: what was there stays", scp_cut(True))
add("openssh to dory serve: scp by SFTP, cut in order: what was there stays", scp_cut(False))


@case("openssh to dory serve: scp by SFTP, ended by a signal: what was there stays")
def scp_signal(t):
    server = t.lab.server("serve")
    there = server.folder(t)
    served(t, "old", "file")
    source = files.big(t.path("source"), 64 << 20)
    process = SCP.copy(t, server, source, R(t.name + "/file"), ["-l", "200000"], start=True)
    t.eventually(lambda: len(os.listdir(there)) == 2, "an upload under way")
    os.kill(process.pid, signal.SIGTERM)
    t.end(process)
    t.eventually(lambda: os.listdir(there) == ["file"], "only what was there: %s" % os.listdir(there))
    files.holds(there + "/file", "old")


@case("openssh to dory serve: what the log says of SFTP")
def log(t):
    root = t.path("root")
    os.mkdir(root)
    owned(root)
    server = t.lab.fresh(t, "serve", root=root, options=["-v"])
    source = files.write(t.path("source"), files.blob(300000))
    t.ok(SCP.copy(t, server, source, R("up")))
    t.ok(SCP.copy(t, server, R("up"), t.path("down")))
    t.ok(sftp(t, server, ["mkdir d\x1b[31m", "rename up d\x1b[31m/up"]))
    proxy = Proxy(t, server, cut=(UP, 100000))
    t.fails(SCP.copy(t, server, source, R("never"), port=proxy.port))

    def said(text):
        t.eventually(lambda: text in server.whole_log(), "%r in the log" % text)
    said(": marlin: sftp: 1 file up, 300000 bytes; 0 files down, 0 bytes: done")
    said(": marlin: sftp: 0 files up, 0 bytes; 1 file down, 300000 bytes: done")
    said("up: 300000 bytes up: done")
    said("mkdir /d\\033[31m: done")
    said("rename /up to /d\\033[31m/up: done")
    said("never: ")
    said(" bytes: cut off")
    t.check("\x1b" not in server.whole_log(), "control bytes in the log")


@case("openssh to dory serve: scp and sftp, a full disk")
def full_disk(t):
    server = t.lab.server("serve")
    there = server.folder(t) + "/disk"
    old, source, free = disk_with_old(t, there)
    for name in ("new", "old"):
        t.fails(SCP.copy(t, server, source, R("%s/disk/%s" % (t.name, name))), "disk/" + name, NO_SPACE)
        t.fails(sftp(t, server, ["put %s %s/disk/%s" % (source, t.name, name)]), NO_SPACE)
    files.same(old, t.path("old"))
    files.only(there, "old")
    t.check(os.statvfs(there).f_bfree == free, "space was lost")
    t.ok(SCP.copy(t, server, t.path("old"), R(t.name + "/disk/fits")))
    files.same(there + "/fits", old)


@case("openssh to dory serve --read-only: SFTP changes nothing")
def read_only(t):
    root = t.path("root")
    os.mkdir(root)
    os.mkdir(root + "/dir")
    files.write(root + "/file", "content")
    owned(root)
    before = files.listing(root)
    server = t.lab.fresh(t, "serve", root=root, options=["--read-only"])
    mine = files.write(t.path("mine"), "mine")
    t.fails(SCP.copy(t, server, mine, R("file")), "permission denied")
    t.fails(SCP.copy(t, server, mine, R("new")), "permission denied")
    for line in ("put %s file" % mine, "put %s new" % mine, "reput %s file" % files.write(t.path("longer"), "content and more"), "rm file",
                 "rmdir dir", "mkdir new", "rename file new", "rename -l file new", "chmod 600 file", "ln -s file new", "chown 1 file"):
        t.check(sftp(t, server, [line]).rc != 0, "status 0 for %s" % line)
    t.ok(sftp(t, server, ["get file %s" % t.path("got"), "ls -l", "df"]))
    files.holds(t.path("got"), "content")
    t.check({p: (i.st_mode, i.st_mtime, i.st_size) for p, i in files.listing(root).items()} ==
            {p: (i.st_mode, i.st_mtime, i.st_size) for p, i in before.items()}, "something was changed")


# ---- OpenSSH's sftp

@case("openssh to dory serve: sftp, a batch of everything")
def batch(t):
    server = t.lab.server("serve")
    there = server.folder(t)
    os.chown(there, sandbox.UID, sandbox.UID)
    files.write(t.path("small"), "small\n", mode=0o640)
    files.odd_tree(t.path("tree"), newlines=True)
    os.mkdir(t.path("here"))
    result = t.ok(sftp(t, server, [
        "cd " + t.name, "pwd", "put %s small" % t.path("small"), "put -p %s kept" % t.path("small"), "mkdir d", "cd d", "pwd", "cd ..", "ls -l",
        "-mkdir d", "put -R %s arrived" % t.path("tree"), "rename small moved", "-rename -l moved kept", "rename kept moved", "chmod 600 moved",
        "ls -l moved", "-ln -s moved link", "get moved %s" % t.path("here/moved"), "get -R arrived %s" % t.path("here/arrived"), "df", "df -h",
        "-rm nothing", "-rmdir arrived", "rmdir d", "-get d %s" % t.path("here/d"), "cd /", "cd ..", "pwd", "lls", "version"]))
    out = result.out.decode()
    for word in ("Remote working directory: /%s\n" % t.name, "Remote working directory: /%s/d\n" % t.name, "Remote working directory: /\n",
                 "-rw-r-----   1 %d" % sandbox.UID, "drwxr-xr-x", "-rw-------", "%Capacity", "SFTP protocol version 3"):
        t.check(word in out, "no %r in: %s" % (word, out))
    for word in ("operation unsupported", "failure", "no such file"):
        t.says(result, word)
    files.only(there, "moved", "arrived")
    files.same(there + "/moved", t.path("small"))
    t.check(os.stat(there + "/moved").st_mode & 0o777 == 0o600, "mode %o" % os.stat(there + "/moved").st_mode)
    files.same_tree(there + "/arrived", t.path("tree"))
    files.same_tree(t.path("here/arrived"), t.path("tree"))
    files.same(t.path("here/moved"), t.path("small"))


@case("openssh to dory serve: sftp, reget and reput")
def resume(t):
    server = t.lab.server("serve")
    there = server.folder(t)
    data = files.blob(3 << 20, seed=3)
    whole = files.write(t.path("whole"), data)
    served(t, data, "whole")
    served(t, data[:1000001], "part")
    files.write(t.path("part"), data[:2000003])
    t.ok(sftp(t, server, ["reget %s/whole %s" % (t.name, t.path("part")), "reput %s %s/part" % (whole, t.name)]))
    files.same(t.path("part"), whole)
    files.same(there + "/part", whole)
    proxy = Proxy(t, server, cut=(UP, 1 << 20))         # what a resumed upload has sent is kept, for the next time
    served(t, data[:500000], "again")
    t.check(sftp(t, server, ["reput %s %s/again" % (whole, t.name)], port=proxy.port).rc != 0, "status 0 although it was cut")
    t.eventually(lambda: os.path.getsize(there + "/again") > 1000000, "more than before")
    t.ok(sftp(t, server, ["reput %s %s/again" % (whole, t.name)]))
    files.same(there + "/again", whole)


@case("openssh to dory serve: several sftp and scp conversations over one connection")
def multiplexed(t):
    server = t.lab.server("serve")
    there = server.folder(t)
    source = files.write(t.path("source"), files.blob(5 << 20, seed=4))
    control = os.path.join(sandbox.BASE, "tmp", "control." + t.name)
    options = ["ControlPath=%s" % control]
    argv, env = SSH_.command(t, server, [], None, [], options=options + ["ControlMaster=yes"])
    argv = ["-p" if w == "-P" else w for w in argv[:-1]] + ["-N", "%s@%s" % (USER, server.host)]
    master = t.start(argv, env=env)
    t.eventually(lambda: os.path.exists(control), "the master connection")
    flags = ["-r"]
    running = [SCP.copy(t, server, source, R("%s/up%d" % (t.name, i)), flags, start=True, options=options) for i in range(6)]
    for process in running:
        t.ok(t.end(process))
    running = [SCP.copy(t, server, R("%s/up%d" % (t.name, i)), t.path("down%d" % i), flags, start=True, options=options) for i in range(6)]
    for process in running:
        t.ok(t.end(process))
    for i in range(6):
        files.same(there + "/up%d" % i, source)
        files.same(t.path("down%d" % i), source)
    os.kill(master.pid, signal.SIGTERM)


# ---- others

def paramiko(t, server, scenario):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib", "paramiko_sftp.py")
    return t.run([sys.executable, script, server.host, str(server.port), USER, t.lab.key, known_for(server, None), t.name, t.dir, scenario])


for scenario_ in ("files", "names", "prefetch", "after_upload", "closed_early", "pipelined", "open_files", "directory"):
    def work_(t, scenario=scenario_):
        server = t.lab.server("serve")
        there = server.folder(t)
        os.chown(there, sandbox.UID, sandbox.UID)
        t.ok(paramiko(t, server, scenario))
        t.check(not [n for n in os.listdir(there) if "dory-part" in n], "debris: %s" % os.listdir(there))
    add("paramiko to dory serve: SFTP, %s" % scenario_.replace("_", " "), work_)


@case("lftp to dory serve: SFTP, put, get, mirror both ways, names")
def lftp(t):
    server = t.lab.server("serve")
    there = server.folder(t)
    os.chown(there, sandbox.UID, sandbox.UID)
    source = files.write(t.path("source"), files.blob(3000000, seed=6))
    files.odd_tree(t.path("tree"), newlines=False)
    argv, env = SSH_.command(t, server, [], None, [])
    ssh = " ".join("-p" if w == "-P" else w for w in argv[:-1] if w not in (str(server.port),)).replace(" -p ", " ")
    script = ["set sftp:connect-program '%s'" % ssh, "set net:max-retries 1", "set net:timeout 20", "set cmd:fail-exit yes",
              "open -u %s, sftp://%s:%d" % (USER, server.host, server.port), "cd /%s" % t.name, "put %s -o up" % source, "ls -l",
              "get up -o %s" % t.path("down"), "mkdir d", "mv up d/moved", "chmod 640 d/moved", "put %s -o gone" % source, "rm gone",
              "mirror -R %s arrived" % t.path("tree"), "mirror arrived %s" % t.path("back"), "cls d", "exit"]
    env = dict(env or {}, HOME=t.dir)
    result = t.ok(t.run(["/usr/bin/lftp", "-f", files.write(t.path("script"), "\n".join(script) + "\n")], env=env))
    t.check("d/moved" in result.text, "it listed %s" % result.text)
    files.only(there, "d", "arrived")
    files.same(there + "/d/moved", source)
    files.same(t.path("down"), source)
    files.same_tree(there + "/arrived", t.path("tree"))
    files.same_tree(t.path("back"), t.path("tree"))


# ---- how fast

@case("openssh: 1,000 files of 4 KiB by SFTP, dory serve beside OpenSSH's server")
def many_small(t):
    """Prints how the two compare; a clock asserts nothing."""
    os.mkdir(t.path("tree"))
    for i in range(1000):
        files.write(t.path("tree", "f%04d" % i), files.blob(4096, seed=i))
    spent = {}
    for kind in ("serve", "sftp-server", "serve", "sftp-server"):
        server = t.lab.server(kind)
        there = server.folder(t)
        begun = time.monotonic()
        t.ok(SCP.copy(t, server, t.path("tree"), R(t.name + "/" + kind), ["-r", "-q"]))
        up = time.monotonic()
        t.ok(SCP.copy(t, server, R(t.name + "/" + kind), t.path("back"), ["-r", "-q"]))
        down = time.monotonic()
        files.same_tree(there + "/" + kind, t.path("tree"))
        files.same_tree(t.path("back"), t.path("tree"))
        t.run(["/bin/rm", "-r", t.path("back"), there + "/" + kind])
        best = spent.setdefault(kind, [9e9, 9e9])
        spent[kind] = [min(best[0], up - begun), min(best[1], down - up)]
    for i, way in enumerate(("up", "down")):
        print("# 1,000 files of 4 KiB, scp -r %s by SFTP: dory serve %.2f s, OpenSSH's sftp-server %.2f s, ratio %.2f" %
              (way, spent["serve"][i], spent["sftp-server"][i], spent["serve"][i] / spent["sftp-server"][i]), flush=True)
