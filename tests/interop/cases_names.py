"""Paths as people type them, and paths as an attacker would: quoting, globs, and no shell where none belongs."""
import os

from lib import files, sandbox
from lib.case import add, case
from lib.clients import OPENSSH, R
from lib.pairs import OURS, SERVING

SPECIAL = [b"with space", b" x ", b"a'b", b"'", b'a"b', b"a`touch pwned`b", b"$HOME", b"$(touch pwned)", b"${IFS}", b"a;touch pwned", b"a&b",
           b"a|b", b"a<b", b"a>b", b"(a)", b"{a,b}", b"#a", b"!a", b"-a", b"--", b"a\nb", b"a\tb", b"\x01", "\u00fc \u65e5".encode(), b"\xff", b"a:b",
           b"a=b", b"~a", b"%s", b"a\\\\b", b"\\*", b"\\?", b"\\[a]", b"a]"]


def unescaped(path):
    """What a path with backslashes before special characters means."""
    out, i = b"", 0
    while i < len(path):
        if path[i:i + 1] == b"\\":
            i += 1
        out += path[i:i + 1]
        i += 1
    return out


def not_fooled(t, *folders):
    for folder in folders:
        for path in files.listing(folder):
            t.check(os.path.basename(path) != b"pwned", "a command of the attacker was carried out in %s" % folder)


def special_up(pair):
    """Each name as the target's last component and as a folder on the way. A target is no glob: it means itself."""
    def work(t):
        there = os.fsencode(pair.server(t).folder(t))
        source = files.write(t.path("source"), "content")
        for name in SPECIAL:
            real = name
            t.ok(pair.copy(t, source, R(t.name.encode() + b"/" + name)))
            files.holds(os.path.join(there, real), "content")
            files.only(there, real)
            os.unlink(os.path.join(there, real))
            os.mkdir(os.path.join(there, real))
            os.chown(os.path.join(there, real), sandbox.UID, sandbox.UID)
            t.ok(pair.copy(t, source, R(t.name.encode() + b"/" + name + b"/file")))
            files.holds(os.path.join(there, real, b"file"), "content")
            os.unlink(os.path.join(there, real, b"file"))
            os.rmdir(os.path.join(there, real))
        not_fooled(t, pair.server(t).root, t.dir)
    return work


def special_down(pair):
    def work(t):
        there = os.fsencode(pair.server(t).folder(t))
        for name in SPECIAL:
            real = unescaped(name)
            if b"\n" in name:       # the server sends it encoded, and then it is not what was asked for: OpenSSH's client says so too
                continue
            files.write(os.path.join(there, real), b"content of " + real, owner=sandbox.UID)
            here = t.path("here")
            os.mkdir(here)
            t.ok(pair.copy(t, R(t.name.encode() + b"/" + name), here))
            files.only(here, real)
            files.holds(os.path.join(os.fsencode(here), real), b"content of " + real)
            os.unlink(os.path.join(os.fsencode(here), real))
            os.rmdir(here)
            os.unlink(os.path.join(there, real))
        not_fooled(t, pair.server(t).root, t.dir)
    return work


def globs(pair):
    def work(t):
        there = pair.server(t).folder(t)
        for folder in ("one", "two", "with space"):
            os.mkdir(os.path.join(there, folder))
            for name in ("a.txt", "b.txt", "c.bin", ".hidden.txt", "*", "d e.txt"):
                files.write(os.path.join(there, folder, name), folder + name, owner=sandbox.UID)
        cases = [("one/*.txt", ["a.txt", "b.txt", "d e.txt"]), ("one/?.txt", ["a.txt", "b.txt"]), ("one/[bc].*", ["b.txt", "c.bin"]),
                 ("one/[!a].txt", ["b.txt"]), ("w*/c.bin", ["c.bin"]), ("one/.*.txt", [".hidden.txt"]), ("one/\\*", ["*"]),
                 ("with space/d*", ["d e.txt"]), ("t?o/a.txt", ["a.txt"])]
        for pattern, names in cases:
            here = t.path("here")
            os.mkdir(here)
            t.ok(pair.copy(t, R("%s/%s" % (t.name, pattern)), here))
            files.only(here, *names)
            for name in names:
                folder = "one" if pattern[0] == "o" else "with space" if pattern[0] == "w" else "two"
                files.holds(os.path.join(here, name), folder + name)
                os.unlink(os.path.join(here, name))
            os.rmdir(here)
        os.mkdir(t.path("here"))
        t.fails(pair.copy(t, R(t.name + "/one/*.none"), t.path("here")), "*.none", "no such file")
        files.only(t.path("here"))
    return work


for pair_ in SERVING + OURS:
    add("%s: special characters in the remote path, up" % pair_.name, special_up(pair_))
    add("%s: special characters in the remote path, down" % pair_.name, special_down(pair_))
    add("%s: globs in the remote path" % pair_.name, globs(pair_))


@case("openssh to dory serve: quoting and globs as for a shell")
def server_quoting(t):
    """With -O, OpenSSH's scp sends the path as it is typed; who quotes for the remote shell must be understood, as by a shell."""
    server = t.lab.server("serve")
    there = server.folder(t)
    for name in ("with space", "it's", "a*b", "axb", "$HOME", "back\\slash", "dquote\"x"):
        files.write(os.path.join(there, name), name, owner=sandbox.UID)
    cases = [("'with space'", ["with space"]), ("with\\ space", ["with space"]), ('"with space"', ["with space"]), ("with' 'space", ["with space"]),
             ("it\\'s", ["it's"]), ('"it\'s"', ["it's"]), ("'a*b'", ["a*b"]), ("a\\*b", ["a*b"]), ("a*b", ["a*b", "axb"]), ("a?b", ["a*b", "axb"]),
             ("a[x]b", ["axb"]), ("'$HOME'", ["$HOME"]), ("\\$HOME", ["$HOME"]), ("'back\\slash'", ["back\\slash"]), ("wi*", ["with space"]),
             ("'dquote\"x'", ["dquote\"x"])]
    for typed, names in cases:
        here = t.path("here")
        os.mkdir(here)
        t.ok(OPENSSH.copy(t, server, R("%s/%s" % (t.name, typed)), here, ["-T"]))
        files.only(here, *names)
        for name in names:
            files.holds(os.path.join(here, name), name)
            os.unlink(os.path.join(here, name))
        os.rmdir(here)


@case("openssh to dory serve: what a shell would carry out is refused")
def no_shell(t):
    server = t.lab.server("serve")
    there = server.folder(t)
    source = files.write(t.path("source"), "new")
    files.write(there + "/x", "old", owner=sandbox.UID)
    for attack in ("; touch {}/pwned", "&& touch {}/pwned", "| touch {}/pwned", "& touch {}/pwned", "$(touch {}/pwned)", "`touch {}/pwned`",
                   "\ntouch {}/pwned", "> {}/pwned", ">{}/pwned", "<{}/x"):
        typed = t.name + "/x" + attack.format(t.name)
        for result in (OPENSSH.copy(t, server, source, R(typed)), OPENSSH.copy(t, server, R(typed), t.path("got"), ["-T"])):
            t.check(result.rc != 0, "status 0 for %r" % attack)
        files.holds(there + "/x", "old")
        files.only(there, "x")
        files.only(t.dir, "source")
    not_fooled(t, server.root, t.dir)


@case("openssh to dory serve: leading dashes are no options")
def leading_dash(t):
    root = t.path("root")
    os.mkdir(root)
    os.chown(root, sandbox.UID, sandbox.UID)
    server = t.lab.fresh(t, "serve", root=root)
    source = files.write(t.path("source"), "content")
    t.ok(OPENSSH.copy(t, server, source, R("-r")))
    files.holds(server.root + "/-r", "content")
    t.ok(OPENSSH.copy(t, server, R("-r"), t.path("back")))
    files.holds(t.path("back"), "content")
    files.only(server.root, "-r")
