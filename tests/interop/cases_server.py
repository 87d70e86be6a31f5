"""`dory serve`: what it refuses, what it confines, its limits, its beginning and its end."""
import os
import re
import signal
import socket
import threading

from lib import files, sandbox
from lib.case import add, case
from lib.clients import DORY, OPENSSH, R, SSH_
from lib.pairs import OURS, SERVED
from lib.proxy import UP, Proxy
from lib.servers import USER, free_port, sockets


def line_of(t, server, text):
    return t.eventually(lambda: [x for x in server.whole_log().splitlines() if text in x], "%r in the server's log" % text)


# ---- by hand, with ssh

@case("ssh to dory serve: scp -t and -f by hand")
def by_hand(t):
    server = t.lab.server("serve")
    there = server.folder(t)
    result = t.ok(SSH_.run(t, server, ["scp -t %s/a" % t.name], stdin=b"C0640 7 name\ncontent\0"))
    t.check(result.out == b"\0\0\0", "replies were %r" % result.out)
    files.holds(there + "/a", "content")
    t.check(os.stat(there + "/a").st_mode & 0o777 == 0o640, "mode %o" % os.stat(there + "/a").st_mode)
    result = t.ok(SSH_.run(t, server, ["scp", "-pf", t.name + "/a"], stdin=b"\0\0\0\0"))
    t.check(re.fullmatch(rb"T\d+ 0 \d+ 0\nC0640 7 a\ncontent\0", result.out), "it sent %r" % result.out)


@case("ssh to dory serve: other commands are refused in clear words")
def other_commands(t):
    server = t.lab.server("serve")
    server.folder(t)
    for command in ("ls", "/bin/sh", "scp", "scpx -t a", "rsync --server", "echo x; scp -t %s/a" % t.name, "sh -c 'scp -t a'", "'", "",
                    "scp -t", "scp -x -t a", "SCP -t a"):
        result = SSH_.run(t, server, ["--", command] if command == "" else [command])
        t.check(result.rc != 0, "status 0 for %r" % command)
        if command:
            t.check(len(result.err.strip()) > 5, "nothing was said for %r" % command)
    result = SSH_.run(t, server, ["ls"])
    t.says(result, "scp")
    files.only(os.path.join(server.root, t.name))


@case("ssh to dory serve: no shell, no terminal, no unknown subsystem, no forwarding")
def other_requests(t):
    server = t.lab.server("serve")
    t.check(SSH_.run(t, server, []).rc != 0, "a shell: status 0")
    t.check(SSH_.run(t, server, [], ["-tt"]).rc != 0, "a terminal: status 0")
    t.fails(SSH_.run(t, server, ["nothing"], ["-s"]), ("subsystem", "failed"))
    echo = socket.socket()
    t.at_end(echo.close)
    echo.bind(("127.0.0.1", 0))
    echo.listen(1)
    t.fails(SSH_.run(t, server, [], ["-W", "127.0.0.1:%d" % echo.getsockname()[1]]), ("prohibited", "refused", "failed", "unknown"))
    t.check(SSH_.run(t, server, [], ["-N", "-R", "0:127.0.0.1:1"], options=["ExitOnForwardFailure=yes"]).rc != 0, "forwarding: status 0")
    there = server.folder(t)        # asking for a terminal or for variables does no harm to a copy
    result = t.ok(SSH_.run(t, server, ["scp -t %s/a" % t.name], ["-T"], stdin=b"C0644 1 a\nx\0", options=["SetEnv=A=b", "ForwardAgent=yes"]))
    files.holds(there + "/a", "x")


@case("ssh to dory serve: keepalives are answered")
def keepalive(t):
    """ssh would hang up after one unanswered message; it must see several answered."""
    server = t.lab.server("serve")
    server.folder(t)
    argv, env = SSH_.command(t, server, [], None, [], options=["ServerAliveInterval=1", "ServerAliveCountMax=1", "LogLevel=DEBUG3"])
    argv = ["-p" if w == "-P" else w for w in argv[:-1]] + ["%s@%s" % (USER, server.host), "scp -t %s/a" % t.name]
    r, w = os.pipe()
    process = t.start(argv, env=env, stdin=r)
    os.close(r)
    sent = lambda: files.read(process.err_path).count(b"send packet: type 80")  # noqa: E731
    t.eventually(lambda: sent() >= 3 or not process.alive(), "three keepalives")
    t.check(process.alive(), "the client hung up")
    os.write(w, b"C0644 1 a\nx\0")
    os.close(w)
    t.ok(t.end(process))
    files.holds(os.path.join(server.root, t.name, "a"), "x")


# ---- confinement

def walls(t, server):
    """A secret beside the root, links that point out of it, and what they must not do."""
    root = server.root
    outside = os.path.join(os.path.dirname(root), os.path.basename(root) + "2")     # shares the root's name as a prefix
    os.mkdir(outside)
    files.write(outside + "/secret", "secret", mode=0o666)
    os.mkdir(outside + "/tree")
    files.write(outside + "/tree/secret", "secret")
    for path in (outside, outside + "/tree"):
        os.chmod(path, 0o777)
    os.symlink(outside, root + "/absolute")
    os.symlink("../" + os.path.basename(outside), root + "/relative")
    os.symlink(outside + "/secret", root + "/file")
    os.symlink("../%s/secret" % os.path.basename(outside), root + "/relfile")
    os.symlink("../" * 20 + "etc/passwd", root + "/passwd")
    os.symlink(outside + "/new", root + "/dangling")
    return outside


WAYS_OUT = ["../{0}/secret", "/../{0}/secret", "a/../../{0}/secret", "a/../../../{1}/{0}/secret", "{2}/secret", "absolute/secret", "relative/secret",
            "file", "relfile", "passwd", "./../{0}/secret", "a/b/../../../{0}/secret", "//..//{0}/secret", "absolute/../{0}/secret",
            "../{0}/[s]ecret", "../{0}/*", "*/secret", "absolute/tree/secret"]


def confined(pair):
    def work(t):
        os.mkdir(t.path("house"))
        root = t.path("house/root")
        os.makedirs(root + "/a/b")
        for path in (root, root + "/a", root + "/a/b"):
            os.chown(path, sandbox.UID, sandbox.UID)
        server = t.lab.fresh(t, "serve", root=root)
        outside = walls(t, server)
        before = files.listing(t.path("house"))
        source = files.write(t.path("source"), "new")
        os.mkdir(t.path("here"))
        for way in WAYS_OUT:
            path = way.format(os.path.basename(outside), "house", outside)
            down = pair.client.copy(t, server, R(path), t.path("here"))
            t.check(down.rc != 0, "status 0 for a download of %s" % path)
            if "*" not in path and "[" not in path:
                up = pair.client.copy(t, server, source, R(path))
                t.check(up.rc != 0 or way in ("file", "relfile", "passwd", "{2}/secret"), "status 0 for an upload to %s" % path)
            files.holds(outside + "/secret", "secret")
            for name in os.listdir(t.path("here")):
                t.check(b"secret" not in files.read(t.path("here", name)) and b"root:" not in files.read(t.path("here", name)),
                        "a secret came out by %s" % path)
        after = files.listing(t.path("house"))
        t.check({k for k in after if b"root2" in k} == {k for k in before if b"root2" in k}, "something changed outside of the root")
        files.only(outside, "secret", "tree")
        t.check(pair.client.copy(t, server, R("."), t.path("all"), ["-r"]).rc != 0, "-r of the root met no link")
        for path in files.listing(t.path("all")) if os.path.isdir(t.path("all")) else ():
            path = os.path.join(t.path("all").encode(), path)
            t.check(not os.path.isfile(path) or b"secret" not in files.read(path), "a secret came out by -r")
        os.mkdir(t.path("absolute"))
        files.write(t.path("absolute/planted"), "new")
        t.check(pair.client.copy(t, server, t.path("absolute"), R("."), ["-r"]).rc != 0, "-r into a link that leads out: status 0")
        files.only(outside, "secret", "tree")
        t.check(pair.client.copy(t, server, source, R("dangling")).rc != 0 or not os.path.exists(outside + "/new"), "a dangling link led out")
        files.only(outside, "secret", "tree")
    return work


for pair_ in SERVED + OURS:
    add("%s: nothing outside of the root can be read or written" % pair_.name, confined(pair_))


@case("openssh to dory serve: absolute paths begin at the root, links inside of it work")
def inside(t):
    server = t.lab.server("serve")
    there = server.folder(t)
    files.write(there + "/a", "content", owner=sandbox.UID)
    os.mkdir(there + "/folder")
    os.symlink("a", there + "/link")
    os.symlink("../../" + t.name, there + "/folder/up")
    for n, path in enumerate(("/%s/a", "//%s//a", "%s/link", "%s/folder/up/a", "%s/folder/../a", "./%s/./a", "/../%s/a", "../%s/a")):
        result = OPENSSH.copy(t, server, R(path % t.name), t.path("got%d" % n))
        if ".." in path[:4]:        # above the root there is nothing: the root again, or an error
            t.check(result.rc != 0 or files.read(t.path("got%d" % n)) == b"content", "%s gave something else" % path)
            continue
        t.ok(result)
        files.holds(t.path("got%d" % n), "content")


@case("dory to dory serve: a folder that changes places with a link, again and again, leads nowhere")
def exchanged(t):
    root, outside = t.path("root"), t.path("outside")
    for path in (root, root + "/target", outside):
        os.mkdir(path)
        os.chmod(path, 0o777)
    files.write(root + "/target/file", "inside", mode=0o644)
    files.write(outside + "/file", "outside", mode=0o666)
    os.symlink(outside, root + "/link")
    server = t.lab.fresh(t, "serve", root=root)
    source = files.write(t.path("source"), "new")
    turns, stop = [0], threading.Event()

    def exchange():
        while not stop.is_set():
            sandbox.exchange(root + "/target", root + "/link")
            turns[0] += 1
    thread = threading.Thread(target=exchange, daemon=True)
    thread.start()
    try:
        results = []
        for n in range(60):
            results.append(DORY.copy(t, server, source, R("target/new%d" % n)).rc)
            down = DORY.copy(t, server, R("target/file"), t.path("got"))
            results.append(down.rc)
            if down.rc == 0:
                files.holds(t.path("got"), "inside")
            DORY.copy(t, server, R("target"), t.path("tree"), ["-r"])
    finally:
        stop.set()
        thread.join()
    files.only(outside, "file")
    files.holds(outside + "/file", "outside")
    for path in files.listing(t.path("tree")):
        if path.endswith(b"/file") or path == b"file":
            files.holds(os.path.join(t.path("tree").encode(), path), "inside")
    t.check(turns[0] > 1000 and 0 in results and 1 in results, "%d turns, results %r: nothing was tried" % (turns[0], sorted(set(results))))


# ---- read-only

def read_only(pair):
    def work(t):
        server = t.lab.fresh(t, "serve", options=["--read-only"])
        there = server.folder(t)
        files.write(there + "/old", "old", owner=sandbox.UID)
        source = files.write(t.path("source"), "new")
        os.mkdir(t.path("tree"))
        files.write(t.path("tree/x"), "x")
        for target in ("old", "new", ""):
            t.fails(pair.client.copy(t, server, source, R("%s/%s" % (t.name, target))), ("read-only", "read only"))
        t.fails(pair.client.copy(t, server, t.path("tree"), R(t.name), ["-r"]), ("read-only", "read only"))
        t.fails(pair.client.copy(t, server, source, R(t.name + "/old"), ["-p"]), ("read-only", "read only"))
        files.only(there, "old")
        files.holds(there + "/old", "old")
        t.ok(pair.client.copy(t, server, R(t.name + "/old"), t.path("got")))
        files.holds(t.path("got"), "old")
    return work


for pair_ in SERVED + OURS:
    add("%s: --read-only" % pair_.name, read_only(pair_))


# ---- who may come in

def tries(limit, wrong, comes_in):
    """OpenSSH offers some wrong keys before the right one."""
    def work(t):
        server = t.lab.fresh(t, "serve", options=["--max-auth-tries", str(limit)])
        there = server.folder(t)
        source = files.write(t.path("source"), "content")
        flags = []
        for i in range(wrong):
            flags += ["-i", t.lab.make_key("wrong-%s-%d" % (t.name, i))]
        result = OPENSSH.copy(t, server, source, R(t.name + "/a"), flags)
        if comes_in:
            t.ok(result)
            files.holds(there + "/a", "content")
        else:
            t.fails(result, ("too many", "denied"))
            files.only(there)
    return work


add("openssh to dory serve: --max-auth-tries 3 with three wrong keys before the right one", tries(3, 3, False))
add("openssh to dory serve: --max-auth-tries 5 with three wrong keys before the right one", tries(5, 3, True))


@case("openssh to dory serve: --max-auth-tries counts passwords")
def password_tries(t):
    server = t.lab.fresh(t, "serve", options=["--max-auth-tries", "2", "-v"])
    argv, env = OPENSSH.command(t, server, [t.lab.key], R("a"), [], password="wrong", options=["NumberOfPasswordPrompts=10"])
    t.fails(t.run(argv, env=env), ("too many", "denied"))
    refused = [x for x in server.whole_log().splitlines() if "keyboard-interactive: refused" in x]
    t.check(len(refused) == 2, "%d passwords were tried: %r" % (len(refused), refused))


@case("dory serve: unknown user, known user: the same answers")
def same_answers(t):
    server = t.lab.server("serve")
    shown = []
    for login in (USER, "nobody-here"):
        argv, env = OPENSSH.command(t, server, [t.lab.key], R("a"), ["-v"], password="wrong", login=login)
        result = t.fails(t.run(argv, env=env))
        lines = result.err.decode().replace(login, "USER").splitlines()
        shown.append([x for x in lines if "Authentications that can continue" in x or "denied" in x])
    t.check(shown[0] and shown[0] == shown[1], "%r and %r" % tuple(shown))


@case("dory serve: --login-grace-time ends who does not log in, not who does")
def grace(t):
    server = t.lab.fresh(t, "serve", options=["--login-grace-time", "1"])
    there = server.folder(t)
    source = files.write(t.path("source"), files.blob(8 << 20))
    proxy = Proxy(t, server, hold=(UP, 3 << 20))
    upload = OPENSSH.copy(t, server, source, R(t.name + "/a"), port=proxy.port, start=True)
    t.check(proxy.reached.wait(60), "the upload never came to its middle")
    for greeting in (b"", b"SSH-2.0-silent\r\n"):       # begun after the upload, they are over before it
        with socket.create_connection(("127.0.0.1", server.port)) as s:
            s.sendall(greeting)
            s.settimeout(60)
            while s.recv(4096):
                pass
    t.check(upload.alive(), "the upload was ended too")
    proxy.release()
    t.ok(t.end(upload))
    files.same(there + "/a", source)


@case("dory serve: --idle-timeout ends a stalled upload, the old file stays")
def idle(t):
    server = t.lab.fresh(t, "serve", options=["--idle-timeout", "1"])
    there = server.folder(t)
    files.write(there + "/old", "old", owner=sandbox.UID)
    source = files.write(t.path("source"), files.blob(8 << 20))
    proxy = Proxy(t, server, hold=(UP, 3 << 20))
    upload = OPENSSH.copy(t, server, source, R(t.name + "/old"), port=proxy.port, start=True)
    t.check(proxy.reached.wait(60), "the upload never came to its middle")
    t.eventually(lambda: os.listdir(there) == ["old"], "the upload was given up")
    files.holds(there + "/old", "old")
    line_of(t, server, "idle")
    proxy.release()
    t.fails(t.end(upload))
    files.holds(there + "/old", "old")


@case("dory serve: --max-sessions turns away one more in clear words, and takes others when there is room")
def max_sessions(t):
    server = t.lab.fresh(t, "serve", options=["--max-sessions", "2"])
    there = server.folder(t)
    source = files.write(t.path("source"), files.blob(8 << 20))
    held = []
    for i in range(2):
        proxy = Proxy(t, server, hold=(UP, 3 << 20))
        held.append((proxy, OPENSSH.copy(t, server, source, R("%s/held%d" % (t.name, i)), port=proxy.port, start=True)))
        t.check(proxy.reached.wait(60), "upload %d never came to its middle" % i)
    for client in (OPENSSH, DORY):
        t.fails(client.copy(t, server, source, R(t.name + "/more")), "too many sessions", "127.0.0.1")
    for proxy, process in held:
        proxy.release()
        t.ok(t.end(process))
    t.eventually(lambda: OPENSSH.copy(t, server, source, R(t.name + "/more")).rc == 0, "there is room again")
    for name in ("held0", "held1", "more"):
        files.same(os.path.join(there, name), source)


@case("dory serve: twenty silent strangers do not keep a user out")
def strangers(t):
    server = t.lab.fresh(t, "serve", options=["--max-sessions", "12"])
    there = server.folder(t)
    silent = []
    for i in range(20):
        s = socket.create_connection(("127.0.0.1", server.port))
        if i % 2:
            s.sendall(b"SSH-2.0-x\r\n")
        silent.append(s)
    t.at_end(lambda: [s.close() for s in silent])
    source = files.write(t.path("source"), "content")
    t.ok(OPENSSH.copy(t, server, source, R(t.name + "/a")))
    files.holds(there + "/a", "content")


@case("dory serve: clients that guess passwords do not stop a transfer")
def guessing(t):
    server = t.lab.fresh(t, "serve")
    there = server.folder(t)
    running = []
    for i in range(4):
        argv, env = OPENSSH.command(t, server, [t.lab.key], R("x"), [], password="guess", options=["NumberOfPasswordPrompts=50"])
        running.append(t.start(argv, env=env))
    source = files.write(t.path("source"), files.blob(20 << 20))
    t.ok(OPENSSH.copy(t, server, source, R(t.name + "/a")))
    files.same(there + "/a", source)
    for process in running:
        t.fails(t.end(process))
    files.only(there, "a")


# ---- authorized_keys

AUTHORIZED = [
    ("plain", "{key}\n", True),
    ("comments, empty lines, CR LF", "# a comment\r\n\r\n   \r\n{key}\r\n", True),
    ("without a line end", "{key}", True),
    ("blanks before the key", "  \t{key}\n", True),
    ("other keys and nonsense before it", "{wrong}\nssh-foo AAAA\nnonsense\nssh-ed25519 AAAA!\n{key}\n", True),
    ("restrict", "restrict {key}\n", True),
    ("no-pty,no-port-forwarding", "no-pty,no-port-forwarding,no-X11-forwarding,no-agent-forwarding {key}\n", True),
    ("from of this address", 'from="127.0.0.1" {key}\n', True),
    ("from with a pattern", 'from="10.*,127.0.0.*" {key}\n', True),
    ("from of another address", 'from="10.0.0.1" {key}\n', False),
    ("from that excludes this address", 'from="!127.0.0.1,*" {key}\n', False),
    ("expired", 'expiry-time="20200101" {key}\n', False),
    ("not yet expired", 'expiry-time="29991231235959" {key}\n', True),
    ("a command that cannot be honoured", 'command="/bin/true" {key}\n', False),
    ("an unknown option", 'no-such-option {key}\n', False),
    ("an unknown option with blanks in its value", 'no-such-option="a b \\"c" {key}\n', False),
    ("cert-authority", "cert-authority {key}\n", False),
    ("only another key", "{wrong}\n", False),
    ("cut short", "{cut}\n", False),
    ("commented out", "#{key}\n", False),
    ("empty", "", False),
]


def authorized(text, comes_in, mode=0o644):
    def work(t):
        path = os.path.join(t.lab.keys, "authorized." + t.name)
        key = " ".join(t.lab.public(t.lab.key).split()[:2])
        files.write(path, text.format(key=key + " comment", wrong=t.lab.public(t.lab.wrong_key), cut=key[:-8]), mode=mode)
        server = t.lab.fresh(t, "serve", authorized=path, passwords=False)
        there = server.folder(t)
        result = OPENSSH.copy(t, server, t.lab.key + ".pub", R(t.name + "/a"))
        if comes_in:
            t.ok(result)
            files.only(there, "a")
        else:
            t.fails(result, "denied")
            files.only(there)
            t.check(server.alive(), "the server ended")
            if "option" in text or "command" in text or "expiry" in text or "from" in text or mode != 0o644:
                log = server.whole_log()
                t.check(any(x in log for x in ("option", "command", "expir", "from", "written")), "the log does not say why: %r" % log[-500:])
    return work


for label_, text_, comes_in_ in AUTHORIZED:
    add("dory serve: authorized_keys: " + label_, authorized(text_, comes_in_))
add("dory serve: authorized_keys: writable by everybody", authorized("{key}\n", False, 0o666))


@case("dory serve: authorized_keys is read anew at each login")
def read_anew(t):
    path = files.write(os.path.join(t.lab.keys, "authorized." + t.name), t.lab.public(t.lab.wrong_key) + "\n", mode=0o644)
    server = t.lab.fresh(t, "serve", authorized=path)
    there = server.folder(t)
    t.fails(OPENSSH.copy(t, server, t.lab.key + ".pub", R(t.name + "/a")), "denied")
    files.write(path, t.lab.public(t.lab.key) + "\n")
    t.ok(OPENSSH.copy(t, server, t.lab.key + ".pub", R(t.name + "/a")))
    files.only(there, "a")


# ---- the beginning and the end

@case("dory serve: says where it listens, who came, what was copied")
def log_lines(t):
    server = t.lab.fresh(t, "serve")
    there = server.folder(t)
    source = files.write(t.path("source"), "12345")
    t.ok(OPENSSH.copy(t, server, source, R(t.name + "/'name \x1b[31m'")))
    t.ok(OPENSSH.copy(t, server, R(t.name + "/na*"), t.path("back"), ["-T"]))
    fingerprint = t.ok(t.run(["ssh-keygen", "-l", "-f", server.host_key + ".pub"])).out.decode().split()[1]
    for words in (("listen", "127.0.0.1:%d" % server.port, fingerprint), ("session", USER, "publickey"), ("upload", t.name, "5 bytes", "done"),
                  ("download", "5 bytes", "done")):
        t.check([x for x in line_of(t, server, words[0]) if all(w in x for w in words)], "no line with %r in %r" % (words, server.whole_log()))
    t.check("\x1b" not in server.whole_log(), "a terminal escape of a client is in the log")
    files.only(there, "name \x1b[31m")


@case("dory serve: port 0 takes a free one and says which")
def port_zero(t):
    root = t.path("root")
    os.mkdir(root)
    process = t.start([t.lab.dory, "serve", "--listen", "127.0.0.1:0", "--root", root, "--host-key", t.lab.key, "--user", USER,
                       "--authorized-keys", t.lab.authorized])
    said = t.eventually(lambda: re.search(rb"127\.0\.0\.1:(\d+)", files.read(process.out_path) + files.read(process.err_path)), "it says where")
    t.check(sockets(int(said.group(1)), "0A") == 1, "nobody listens at port %s" % said.group(1))
    process.signal(signal.SIGTERM)
    t.ok(t.end(process))


@case("dory serve: a port that is taken")
def taken(t):
    server = t.lab.server("serve")
    root = t.path("root")
    os.mkdir(root)
    result = t.run([t.lab.dory, "serve", "--listen", "127.0.0.1:%d" % server.port, "--root", root, "--host-key", t.lab.key, "--user", USER,
                    "--authorized-keys", t.lab.authorized])
    t.fails(result, "127.0.0.1", str(server.port), "in use")


@case("dory serve: a command line that cannot work is told in clear words")
def bad_command_line(t):
    root = t.path("root")
    os.mkdir(root)
    good = {"--listen": "127.0.0.1:0", "--root": root, "--host-key": t.lab.key, "--user": USER, "--authorized-keys": t.lab.authorized}

    def start(**changes):
        options = dict(good, **{"--" + k.replace("_", "-"): v for k, v in changes.items()})
        argv = [t.lab.dory, "serve"]
        for name, value in options.items():
            if value is not None:
                argv += [name, value]
        return t.run(argv, limit=10)
    for name in ("listen", "root", "host_key", "user"):
        t.fails(start(**{name: None}), "--" + name.replace("_", "-"))
    t.fails(start(authorized_keys=None), "--authorized-keys", "--password-file")
    t.fails(start(root=t.path("missing")), t.path("missing"), "no such file")
    t.fails(start(root=t.lab.key), t.lab.key, "not a directory")
    t.fails(start(authorized_keys=t.path("missing")), t.path("missing"), "no such file")
    t.fails(start(password_file=t.path("missing")), t.path("missing"), "no such file")
    t.fails(start(listen="127.0.0.1"), "127.0.0.1")
    t.fails(start(listen="127.0.0.1:99999"), "99999")
    t.fails(start(listen="not-an-address:22"), "not-an-address")
    t.fails(start(max_sessions="many"), "--max-sessions", "many")
    t.fails(start(no_such_option="x"), "no-such-option")


def stopped(number):
    def work(t):
        server = t.lab.fresh(t, "serve")
        server.process.signal(number)
        result = t.end(server.process)
        t.check(result.rc == 0, "status %s" % result.rc)
        t.check(sockets(server.port, "0A") == 0, "somebody still listens")
    return work


for number_, label_ in ((signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "SIGINT")):
    add("dory serve: %s ends it in order" % label_, stopped(number_))


def stopped_in_upload(pair):
    """SIGTERM in the middle of two uploads, one of whose clients is stopped: it ends by itself, the old files stay, it can be started again
    at the same port at once."""
    def work(t):
        server = t.lab.fresh(t, "serve")
        there = server.folder(t)
        files.write(there + "/old", "old", owner=sandbox.UID)
        files.write(there + "/stalled", "old", owner=sandbox.UID)
        source = files.write(t.path("source"), files.blob(64 << 20))
        held = Proxy(t, server, hold=(UP, 3 << 20))
        stalled = OPENSSH.copy(t, server, source, R(t.name + "/stalled"), port=held.port, start=True)
        t.check(held.reached.wait(60), "the first upload never came to its middle")
        upload = pair.client.copy(t, server, source, R(t.name + "/old"), ["-l", "200000"] if pair.client.name != "paramiko" else [], start=True)
        t.eventually(lambda: len(os.listdir(there)) >= 4 or not upload.alive(), "two uploads are under way")
        server.process.signal(signal.SIGTERM)
        ended = t.end(server.process)
        t.check(ended.rc == 0, "the server's status is %s" % ended.rc)
        files.only(there, "old", "stalled")
        result = t.fails(t.end(upload))
        if pair.client.name in ("openssh", "dory"):
            t.says(result, "127.0.0.1", "going down")
        held.release()
        t.fails(t.end(stalled))
        files.holds(there + "/old", "old")
        files.holds(there + "/stalled", "old")
        server.start()
        t.ok(pair.client.copy(t, server, source, R(t.name + "/old")))
        files.same(there + "/old", source)
    return work


for pair_ in SERVED + OURS:
    add("%s: SIGTERM in the middle of an upload, and a new start" % pair_.name, stopped_in_upload(pair_))


@case("dory serve: killed in the middle of an upload, the old file stays and a new start cleans up")
def killed(t):
    server = t.lab.fresh(t, "serve")
    there = server.folder(t)
    files.write(there + "/old", "old", owner=sandbox.UID)
    source = files.write(t.path("source"), files.blob(8 << 20))
    held = Proxy(t, server, hold=(UP, 3 << 20))
    upload = OPENSSH.copy(t, server, source, R(t.name + "/old"), port=held.port, start=True)
    t.check(held.reached.wait(60), "the upload never came to its middle")
    server.process.kill()
    held.release()
    t.fails(t.end(upload))
    files.holds(there + "/old", "old")
    server.start()
    t.ok(OPENSSH.copy(t, server, source, R(t.name + "/old")))
    files.same(there + "/old", source)


@case("dory serve: few file descriptors: others wait, nothing breaks")
def few_descriptors(t):
    server = t.lab.server("serve")      # for its folder and key
    there = server.folder(t)
    port = free_port()
    argv = server.argv()
    argv[argv.index("--listen") + 1] = "127.0.0.1:%d" % port
    process = t.start(["/bin/sh", "-c", 'ulimit -n 14; exec "$@"', "sh"] + argv, user=USER)
    t.eventually(lambda: sockets(port, "0A") or not process.alive(), "it listens")
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(12)]
    t.eventually(lambda: len(os.listdir("/proc/%d/fd" % process.pid)) >= 14, "it has no descriptor left")
    for s in silent:
        s.close()
    source = files.write(t.path("source"), "content")
    t.eventually(lambda: OPENSSH.copy(t, server, source, R(t.name + "/a"), port=port).rc == 0, "a copy succeeds again")
    files.holds(there + "/a", "content")


@case("dory serve: the password file: another user's line, a damaged one, one readable by others")
def password_files(t):
    server = t.lab.server("serve")
    line = files.read(server.password_file())
    source = files.write(t.path("source"), "content")
    cases = [(line, 0o600, True), (b"# comment\n\n" + line, 0o600, True), (line.replace(USER.encode() + b":", b"other:"), 0o600, False),
             (line[:-20] + b"\n", 0o600, False), (b"%s:\n" % USER.encode(), 0o600, False), (b"", 0o600, False), (line, 0o666, False)]
    for n, (text, mode, comes_in) in enumerate(cases):
        path = files.write(os.path.join(t.lab.keys, "passwords.%s.%d" % (t.name, n)), text, mode=mode, owner=sandbox.UID)
        one = t.lab.fresh(t, "serve", options=["--password-file", path], passwords=False)
        there = one.folder(t)
        result = OPENSSH.copy(t, one, source, R("%s/%d" % (t.name, n)), password=sandbox.PASSWORD)
        t.check((result.rc == 0) == comes_in, "case %d: status %d" % (n, result.rc))
        t.check(os.path.exists("%s/%d" % (there, n)) == comes_in, "case %d: the file" % n)
        t.fails(OPENSSH.copy(t, one, source, R(t.name + "/empty"), password=""))
