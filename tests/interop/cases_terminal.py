"""At a terminal: questions, passwords, the progress meter, Ctrl-C."""
import os
import re
import termios
import unicodedata

from lib import files, sandbox
from lib.case import add, case
from lib.clients import DORY, R, known_for
from lib.proxy import DOWN, UP, Proxy
from lib.servers import USER
from lib.terminal import Terminal

QUESTION = "(yes/no"


def typed(t, server, *more, key=None, known=None, port=None):
    argv = [t.lab.dory, "scp", "-F", "none", "-P", str(port or server.port), "-o", "UserKnownHostsFile=%s" % (known or known_for(server, port))]
    return argv + ["-i", key or t.lab.key] + list(more)


def remote(path):
    return "%s@127.0.0.1:%s" % (USER, path)


def fingerprint(t, key):
    return t.ok(t.run(["ssh-keygen", "-l", "-f", key + ".pub"])).out.decode().split()[1]


def asked(t, answer):
    """A first connection: the question, and an answer to it."""
    server = t.lab.server("sshd")
    there = server.folder(t)
    source = files.write(t.path("source"), "content")
    known = t.path("known")
    terminal = Terminal(t, typed(t, server, source, remote(t.name + "/arrived"), known=known))
    terminal.expect(QUESTION)
    shown = terminal.seen.decode()
    for word in ("127.0.0.1", str(server.port), "ED25519", fingerprint(t, server.host_key)):
        t.check(word in shown, "the question does not show %s: %r" % (word, shown))
    terminal.send((answer(server) if callable(answer) else answer) + "\r")
    return server, there, known, terminal


@case("terminal: a new host is shown with its fingerprint, yes stores its key")
def yes(t):
    server, there, known, terminal = asked(t, "yes")
    t.ok(t.hear(terminal.end()))
    files.holds(there + "/arrived", "content")
    t.check(files.read(known).split()[:3] == files.read(server.known).split()[:3], "known_hosts holds %r" % files.read(known))
    again = Terminal(t, typed(t, server, t.path("source"), remote(t.name + "/again"), known=known))
    t.ok(t.hear(again.end()))
    t.check(QUESTION.encode() not in again.seen, "it asked again")
    files.holds(there + "/again", "content")


@case("terminal: no to a new host ends it, nothing is stored or sent")
def no(t):
    server, there, known, terminal = asked(t, "no")
    t.fails(t.hear(terminal.end()), "127.0.0.1")
    files.only(there)
    t.check(not os.path.exists(known) or not files.read(known), "a key was stored")


@case("terminal: a typed fingerprint is as good as yes")
def by_fingerprint(t):
    server, there, known, terminal = asked(t, lambda server: fingerprint(t, server.host_key))
    t.ok(t.hear(terminal.end()))
    files.holds(there + "/arrived", "content")


@case("terminal: another fingerprint is no answer, it asks again")
def wrong_fingerprint(t):
    server, there, known, terminal = asked(t, lambda server: fingerprint(t, t.lab.key))
    terminal.expect("yes")      # "please type yes, no or the fingerprint"
    terminal.send("no\r")
    t.fails(t.hear(terminal.end()))
    files.only(there)


@case("terminal: Ctrl-C at the question ends it")
def interrupted_question(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    source = files.write(t.path("source"), "content")
    terminal = Terminal(t, typed(t, server, source, remote(t.name + "/arrived"), known=t.path("known")))
    terminal.expect(QUESTION)
    terminal.interrupt()
    result = t.hear(terminal.end())
    t.check(result.rc != 0, "status 0")
    files.only(there)


def password(kind):
    def work(t):
        server = t.lab.server(kind)
        there = server.folder(t)
        source = files.write(t.path("source"), "content")
        terminal = Terminal(t, typed(t, server, "-o", "PubkeyAuthentication=no", source, remote(t.name + "/arrived")))
        terminal.expect("assword:")
        t.check(b"marlin@127.0.0.1" in terminal.seen, "the prompt does not say whose password: %r" % terminal.seen)
        terminal.send(sandbox.PASSWORD + "\r")
        t.ok(t.hear(terminal.end()))
        files.holds(there + "/arrived", "content")
        for piece in (sandbox.PASSWORD, sandbox.PASSWORD[:8], "horse"):
            t.check(piece.encode() not in terminal.seen, "the password was shown: %r" % terminal.seen)
    return work


for kind_ in ("sshd", "dropbear", "serve"):
    add("terminal: a password is asked for without echo (%s)" % kind_, password(kind_))


@case("terminal: a wrong password may be corrected, three make an end")
def wrong_password(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    source = files.write(t.path("source"), "content")
    argv = typed(t, server, "-o", "PubkeyAuthentication=no", source, remote(t.name + "/arrived"))
    terminal = Terminal(t, argv)
    terminal.expect("assword:")
    terminal.send("wrong\r")
    terminal.expect("assword:")
    terminal.send(sandbox.PASSWORD + "\r")
    t.ok(t.hear(terminal.end()))
    files.holds(there + "/arrived", "content")
    os.unlink(there + "/arrived")
    terminal = Terminal(t, argv)
    count = 0
    while terminal.expect("assword:", or_end=True):
        terminal.send("wrong\r")
        count += 1
    t.fails(t.hear(terminal.end()), "127.0.0.1", "denied")
    t.check(count == 3, "asked %d times" % count)
    files.only(there)


@case("terminal: Ctrl-C at the password prompt gives the terminal its echo back")
def interrupted_password(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    source = files.write(t.path("source"), "content")
    terminal = Terminal(t, typed(t, server, "-o", "PubkeyAuthentication=no", source, remote(t.name + "/arrived")))
    before = termios.tcgetattr(terminal.master)[3] & termios.ECHO
    terminal.expect("assword:")
    t.eventually(lambda: not termios.tcgetattr(terminal.master)[3] & termios.ECHO, "the terminal does not echo")
    terminal.interrupt()
    t.check(t.hear(terminal.end()).rc != 0, "status 0")
    t.check(before and termios.tcgetattr(terminal.master)[3] & termios.ECHO, "the terminal was left without echo")
    files.only(there)


@case("terminal: the password is not asked for where the server takes none")
def no_password(t):
    server = t.lab.fresh(t, "sshd", password=False)
    server.folder(t)
    terminal = Terminal(t, typed(t, server, t.lab.key, remote(t.name + "/arrived"), key=t.lab.wrong_key))
    t.fails(t.hear(terminal.end()), "127.0.0.1", "denied")
    t.check(b"assword:" not in terminal.seen, "it asked for a password")


@case("terminal: a changed host key is told loudly, even to who would say yes")
def changed(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    known = server.write_known(t.path("known"), t.lab.wrong_key)
    terminal = Terminal(t, typed(t, server, t.lab.key, remote(t.name + "/arrived"), known=known))
    t.fails(t.hear(terminal.end()), "127.0.0.1", known, "changed", fingerprint(t, server.host_key))
    t.check(QUESTION.encode() not in terminal.seen, "it asked")
    files.only(there)


# ---- progress

def width(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def no_escapes(t, terminal):
    for c in terminal.seen.decode("utf-8", "replace"):
        t.check(c in "\r\n\t" or unicodedata.category(c) != "Cc", "a control character reached the terminal: %r" % terminal.seen[-300:])


def meter(columns, up):
    def work(t):
        server = t.lab.server("sshd")
        there = server.folder(t)
        size = 20 << 20
        name = "a file with a long name, long enough to be shortened on any terminal of eighty columns.bin"
        source = files.write(os.path.join(t.dir if up else there, name), files.blob(size), owner=sandbox.UID)
        proxy = Proxy(t, server, hold=(UP if up else DOWN, 5 << 20))
        paths = [source, remote(t.name)] if up else [remote("%s/%s" % (t.name, name)), t.path("here")]
        if not up:
            os.mkdir(t.path("here"))
        terminal = Terminal(t, typed(t, server, *paths, port=proxy.port), columns=columns)
        t.check(proxy.reached.wait(60), "the copy never came to its middle")
        if columns >= 36:
            terminal.expect(re.compile(rb"[1-9][0-9]?%"))       # somewhere between
        proxy.release()
        t.ok(t.hear(terminal.end()))
        files.same(os.path.join(there if up else t.path("here"), name), source)
        shown = [x.decode() for x in terminal.lines()]
        for line in shown:
            t.check(width(line) < columns, "%d columns on a terminal of %d: %r" % (width(line), columns, line))
        if columns >= 60:
            t.check(name[:columns - 45] in shown[-1], "the name is not shown: %r" % shown[-1])
        if columns >= 40:
            for word in ("100%", "20MB", "B/s"):
                t.check(word in shown[-1].replace("  ", ""), "%s is not in the last line: %r" % (word, shown[-1]))
        t.check(terminal.seen.endswith(b"\n"), "the last line has no end")
        no_escapes(t, terminal)
    return work


for columns_ in (80, 132, 40, 20):
    add("terminal: progress on %d columns, up" % columns_, meter(columns_, True))
add("terminal: progress on 80 columns, down", meter(80, False))


@case("terminal: progress of an upload by SFTP under -l: answers are heard while it sends")
def limited_meter(t):
    server = t.lab.server("sftp-server")
    there = server.folder(t)
    source = files.write(t.path("source"), files.blob(1 << 20))
    terminal = Terminal(t, typed(t, server, "-s", "-l", "4000", source, remote(t.name + "/up")))
    terminal.expect(re.compile(rb" [1-9][0-9]?% "))
    t.ok(t.hear(terminal.end()))
    files.same(there + "/up", source)


@case("terminal: control characters of a name are shown escaped")
def escapes(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    names = [b"\x1b[31mred\x1b[0m", b"bell\x07", b"tab\tx", b"\xff\xfe", b"\xc2\x9b31m", "\u65e5\u672c".encode() * 40, b"back\x08\x08\x08",
             b"\xe2\x80\xaeevil"]
    os.mkdir(t.path("tree"))
    for name in names:
        files.write(os.path.join(t.path("tree").encode(), name), "x")
    terminal = Terminal(t, typed(t, server, "-r", t.path("tree"), remote(t.name + "/tree")))
    t.ok(t.hear(terminal.end()))
    files.same_tree(there + "/tree", t.path("tree"))
    no_escapes(t, terminal)
    t.check("\u202e".encode() not in terminal.seen, "a character that turns the line round reached the terminal")
    for line in terminal.lines():
        t.check(width(line.decode("utf-8", "replace").rstrip()) <= 80, "too wide: %r" % line)
    terminal = Terminal(t, typed(t, server, "-r", remote(t.name + "/tree"), t.path("back")))
    t.ok(t.hear(terminal.end()))
    no_escapes(t, terminal)
    terminal = Terminal(t, typed(t, server, t.path("missing\x1b[31m"), remote(t.name)))
    t.fails(t.hear(terminal.end()), "missing", "no such file")
    no_escapes(t, terminal)


@case("terminal: what a server says is shown escaped")
def remote_escapes(t):
    banner = files.write(t.path("banner"), b"welcome \x1b[31m\x07 to \x9b1m all\n", mode=0o644)
    noise = "ForceCommand printf 'noise \\033[31m\\007\\n' >&2; exec sh -c \"$SSH_ORIGINAL_COMMAND\""
    server = t.lab.fresh(t, "sshd", config=["Banner " + banner, noise])
    there = server.folder(t)
    terminal = Terminal(t, typed(t, server, files.write(t.path("a"), "content"), remote(t.name + "/a")))
    result = t.ok(t.hear(terminal.end()))
    t.says(result, "welcome", "noise")
    no_escapes(t, terminal)
    files.holds(there + "/a", "content")


@case("terminal: -q shows no meter, and no meter goes to a pipe")
def quiet(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    source = files.write(t.path("source"), files.blob(100000))
    terminal = Terminal(t, typed(t, server, "-q", source, remote(t.name + "/a")))
    t.ok(t.hear(terminal.end()))
    t.check(terminal.seen == b"", "-q showed %r" % terminal.seen)
    files.same(there + "/a", source)
    result = t.ok(DORY.copy(t, server, source, R(t.name + "/b")))
    t.check(result.out == b"", "into a pipe went %r" % result.out)


@case("terminal: the meter follows a change of the window's size")
def resized(t):
    server = t.lab.server("sshd")
    server.folder(t)
    source = files.write(t.path("source"), files.blob(20 << 20))
    proxy = Proxy(t, server, hold=(UP, 5 << 20))
    terminal = Terminal(t, typed(t, server, source, remote(t.name + "/a"), port=proxy.port), columns=120)
    t.check(proxy.reached.wait(60), "the copy never came to its middle")
    terminal.expect(re.compile(rb"[1-9][0-9]?%"))
    terminal.resize(50, 24)
    mark = len(terminal.seen)
    proxy.release()
    t.ok(t.hear(terminal.end()))
    last = [x for x in re.split(rb"[\r\n]+", terminal.seen[mark:]) if x][-1].decode()
    t.check(width(last.rstrip()) <= 50, "%d columns after the window became 50 wide" % width(last))
    t.check("100%" in last, "no 100%% in %r" % last)


# ---- Ctrl-C in the middle

def interrupted(kind, way, *flags):
    def work(t):
        server = t.lab.server(kind)
        there = server.folder(t)
        size = 16 << 20
        proxy = Proxy(t, server, hold=(way, 5 << 20))
        os.mkdir(t.path("here"))
        if way == UP:
            files.write(there + "/old", "old", owner=sandbox.UID)
            source = files.write(t.path("source"), files.blob(size))
            paths = [source, remote(t.name + "/old")]
        else:
            files.write(t.path("here/old"), "old")
            files.write(there + "/source", files.blob(size), owner=sandbox.UID)
            paths = [remote(t.name + "/source"), t.path("here/old")]
        terminal = Terminal(t, typed(t, server, *flags, *paths, port=proxy.port))
        t.check(proxy.reached.wait(60), "the copy never came to its middle")
        terminal.expect("%")
        terminal.interrupt()
        result = t.hear(terminal.end())
        t.check(result.rc != 0, "status 0 after Ctrl-C")
        proxy.release()
        if way == DOWN:
            files.only(t.path("here"), "old")
            files.holds(t.path("here/old"), "old")
        elif kind == "serve":
            t.eventually(lambda: os.listdir(there) == ["old"], "no debris at the server")
            files.holds(there + "/old", "old")
        if way == UP:
            t.ok(DORY.copy(t, server, t.path("source"), R(t.name + "/old"), flags))
            files.same(there + "/old", t.path("source"))
        else:
            t.ok(DORY.copy(t, server, R(t.name + "/source"), t.path("here/old"), flags))
            files.same(t.path("here/old"), there + "/source")
    return work


for kind_ in ("sshd", "serve"):
    add("terminal: Ctrl-C in the middle, dory to %s, up" % kind_, interrupted(kind_, UP))
    add("terminal: Ctrl-C in the middle, dory to %s, down" % kind_, interrupted(kind_, DOWN))


@case("terminal: BatchMode asks nothing")
def batch(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    for more in (["-B"], ["-o", "BatchMode=yes"]):
        terminal = Terminal(t, typed(t, server, *more, t.lab.key, remote(t.name + "/a"), known=t.path("known")))
        t.fails(t.hear(terminal.end()), "127.0.0.1")
        t.check(QUESTION.encode() not in terminal.seen, "it asked for the host key")
        terminal = Terminal(t, typed(t, server, *more, t.lab.key, remote(t.name + "/a"), key=t.lab.wrong_key))
        t.fails(t.hear(terminal.end()), "127.0.0.1", "denied")
        t.check(b"assword" not in terminal.seen.replace(b"(publickey,password)", b""), "it asked for a password")
    files.only(there)


@case("terminal: dory keygen asks before it overwrites")
def overwrite(t):
    path = t.path("key")
    t.ok(t.run([t.lab.dory, "keygen", "-q", "-t", "ed25519", "-N", "", "-f", path]))
    old = files.read(path)
    for answer, changes in (("n", False), ("y", True)):
        terminal = Terminal(t, [t.lab.dory, "keygen", "-t", "ed25519", "-N", "", "-f", path])
        terminal.expect("verwrite")
        terminal.send(answer + "\r")
        t.hear(terminal.end())
        t.check((files.read(path) != old) == changes, "the answer %s was not heeded" % answer)


@case("terminal: dory keygen asks for a passphrase, twice, as ssh-keygen does")
def new_passphrase(t):
    first, again = "Enter passphrase (empty for no passphrase): ", "Enter same passphrase again: "
    for program in ("ssh-keygen",), (t.lab.dory, "keygen"):
        path = t.path(os.path.basename(program[0]))
        for answers, opens in ((["", ""], ""), (["open", "sesame", "open sesame", "open sesame"], "open sesame")):
            terminal = Terminal(t, [*program, "-t", "ed25519", "-f", path])
            for question, answer in zip([first, again] * 2, answers):
                terminal.expect(question)
                terminal.send(answer + "\r")
            result = t.ok(t.hear(terminal.end()))
            t.check((b"Passphrases do not match.  Try again." in result.out) == (len(answers) > 2), "not asked as expected")
            t.check(b"sesame" not in result.out, "what was typed is shown")
            t.ok(t.run(["ssh-keygen", "-y", "-P", opens, "-f", path]))
            t.fails(t.run(["ssh-keygen", "-y", "-P", "other", "-f", path])) if opens else None
            os.unlink(path)
            os.unlink(path + ".pub")
    terminal = Terminal(t, [t.lab.dory, "keygen", "-f", path])
    terminal.expect(first)
    terminal.interrupt()
    t.check(t.hear(terminal.end()).rc != 0, "status 0 after Ctrl-C")
    files.only(t.dir)
    t.fails(t.run([t.lab.dory, "keygen", "-q", "-f", path, "-N", "x" * 1024]), "1023 bytes")
    files.only(t.dir)
    t.ok(t.run([t.lab.dory, "keygen", "-q", "-f", path, "-N", "x" * 1023]))
    t.ok(t.run(["ssh-keygen", "-y", "-P", "x" * 1023, "-f", path]))
    t.fails(t.run([t.lab.dory, "keygen", "-q", "-p", "-f", path, "-P", "x" * 1023, "-N", "y" * 1024]), "1023 bytes")
    t.ok(t.run(["ssh-keygen", "-y", "-P", "x" * 1023, "-f", path]))


@case("terminal: dory serve --hash-password asks without echo")
def hash_password(t):
    terminal = Terminal(t, [t.lab.dory, "serve", "--hash-password"])
    terminal.expect(re.compile(rb"assword"))
    terminal.send("secret word\r")
    if terminal.expect(re.compile(rb"again|repeat|once more|retype", re.I), or_end=True):
        terminal.send("secret word\r")
    result = t.ok(t.hear(terminal.end()))
    t.check(b"secret" not in result.out, "the password was shown")
    t.check(b"$" in result.out, "no hash in %r" % result.out)
