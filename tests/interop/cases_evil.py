"""`dory scp` as a whole against an SFTP server that lies (lib/evil_sftp.py): what reaches the disk and the terminal. The engine alone is tested in
tests/hostile/test_sftp_client.c."""
import os

from lib import files
from lib.case import add, case
from lib.terminal import Terminal

SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib", "evil_sftp.py")


def words(t, *more):
    os.makedirs(t.path("target"), exist_ok=True)
    return [t.lab.dory, "scp", "-D", SERVER] + list(more) + [t.path("target")]


def fetch(t, evil, *more):
    files.write(t.path("above.txt"), "mine")
    return t.run(words(t, *more), env=dict(os.environ, EVIL=evil))


def untouched(t, *names):
    files.holds(t.path("above.txt"), "mine")
    files.only(t.path("target"), *names)


def no_escapes(t, seen):
    t.check(b"\x07" not in seen and b"\xc2\x9b" not in seen and b"\x1b" not in seen, "control characters were let through: %r" % seen)


@case("evil SFTP: a server that behaves is served, without its special bits")
def behaves(t):
    t.ok(fetch(t, "nothing", "-r", "x:d", "x:*.txt"))
    untouched(t, "d", "a.txt")
    files.holds(t.path("target", "d", "a.txt"), "content")
    t.check(os.stat(t.path("target", "a.txt")).st_mode & 0o7000 == 0, "special bits arrived")


@case("evil SFTP: a name behind the end of a directory is not one that a pattern has matched")
def late(t):
    t.ok(fetch(t, "late", "-r", "x:?"))
    untouched(t, "d")
    files.only(t.path("target", "d"), "evil.sh")


@case("evil SFTP: names that no pattern matches are not fetched, . and .. are passed over")
def unasked(t):
    t.ok(fetch(t, "unasked", "-r", "x:*.txt"))
    untouched(t, "a.txt")
    before = os.stat(t.path("target")).st_mode
    t.ok(fetch(t, "itself", "-r", "-p", "x:*.txt"))
    t.check(os.stat(t.path("target")).st_mode == before, "the target's own mode changed")


@case("evil SFTP: links in the target that lead out of it are not followed")
def links(t):
    os.makedirs(t.path("target", "d"))
    os.makedirs(t.path("other"))
    for link in ("../../above.txt", t.path("above.txt"), "../../not-there"):
        os.symlink(link, t.path("target", "d", "a.txt"))
        t.fails(fetch(t, "nothing", "-r", "x:d"), "a.txt")
        t.check(os.readlink(t.path("target", "d", "a.txt")) == link, "the link was replaced")
        os.unlink(t.path("target", "d", "a.txt"))
        untouched(t, "d")
        t.check(not os.path.exists(t.path("not-there")), "a file was made where a link led")
    os.rmdir(t.path("target", "d"))
    for link in ("../other", t.path("other")):
        os.symlink(link, t.path("target", "d"))
        t.fails(fetch(t, "nothing", "-r", "x:d"), "target/d")
        files.only(t.path("other"))
        os.unlink(t.path("target", "d"))


def refused(evil, *said):
    def work(t):
        t.fails(fetch(t, evil, "-r", "x:*"), *said)
        t.check(not os.path.exists(t.path("target", "a.txt")), "something half done has the final name")
        files.holds(t.path("above.txt"), "mine")
    return work


add("evil SFTP: a name with a path in it ends the copy", refused("above", "a name that is none"))
add("evil SFTP: more content than was asked for", refused("longer", "more content"))
add("evil SFTP: an answer to nothing", refused("nobody", "an answer to nothing"))
add("evil SFTP: an answer twice", refused("twice", "an answer to nothing"))


@case("evil SFTP: names and errors cannot command the terminal, nor look like words of scp's own")
def escapes(t):
    for evil in ("escapes", "refusal"):
        result = fetch(t, evil, "x:*.txt")
        no_escapes(t, result.out + result.err)
        t.check(b"\nscp: all is well" not in result.err, "a line of the server's own making: %r" % result.err)
        terminal = Terminal(t, words(t, "x:*.txt"), env={"EVIL": evil})
        t.hear(terminal.end())
        no_escapes(t, terminal.seen)
