"""Configuration files, ways through other hosts, other programs as transport, and copies between hosts, as with OpenSSH's scp."""
import os
import re
import shutil

from lib import files, sandbox
from lib.case import case
from lib.clients import DORY, OPENSSH, R
from lib.servers import HOST, USER
from lib.terminal import Terminal


def block(name, server, *more, key=None, lab=None):
    """A Host block for a server."""
    lines = ["HostName %s" % server.host, "Port %d" % server.port, "User %s" % USER, "UserKnownHostsFile %s" % server.known,
             "IdentityFile %s" % (key or server.lab.key), "IdentitiesOnly yes", "IdentityAgent none"] + list(more)
    return "Host %s\n" % name + "".join("    %s\n" % line for line in lines)


def config(t, *blocks, name="config"):
    return files.write(t.path(name), "".join(b if b.endswith("\n") else b + "\n" for b in blocks), mode=0o600)


def dory(t, *words, **how):
    return t.run([t.lab.dory, "scp"] + list(words), **how)


def said(result):
    return result.err.replace(b"\r\n", b"\n")


def content(t, name="a"):
    return files.write(t.path(name), "content of %s in %s" % (name, t.name))


def same(t, there, name="a"):
    files.holds(os.path.join(there, name), "content of a in %s" % t.name)


# ---- -F, ~/.ssh/config, Include, Match

@case("dory to sshd: config: -F names a host of its own, with Include and Match")
def named(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    content(t)
    files.write(t.path("more.conf"), "Match host %s exec \"test %%n = short\"\n  Port %d\n" % (HOST, server.port), mode=0o600)
    path = config(t, "Host=short\n HostName \"%s\" # where\n\tUser = %s" % (HOST, USER), "Match originalhost short\nInclude %s" % t.path("mo*.conf"),
                  "Host * !other\n IdentityFile %s\n UserKnownHostsFile /nonexistent %s" % (t.lab.key, server.known), "Port 9")
    t.ok(dory(t, "-B", "-F", path, t.path("a"), "short:" + t.name))
    same(t, there)
    t.fails(dory(t, "-B", "-F", "none", t.path("a"), "short:" + t.name), "short")


@case("dory to sshd: config: ~/.ssh/config is read, and refused where others may write it")
def own(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    home = t.path("home")
    os.makedirs(home + "/.ssh", mode=0o700)
    path = files.write(home + "/.ssh/config", block("short", server), mode=0o600)
    content(t)
    t.ok(dory(t, "-B", t.path("a"), "short:" + t.name, env={"HOME": home}))
    same(t, there)
    os.chmod(path, 0o620)
    result = t.fails(dory(t, "-B", t.path("a"), "short:" + t.name, env={"HOME": home}), "Bad owner or permissions on " + path)
    t.check(result.rc == 255, "status %d" % result.rc)


@case("dory to sshd: config: a mistake is told with file and line, in ssh's own words")
def mistakes(t):
    content(t)
    for text in ("Foo bar", "Host x\n Port x", "Port 1 2", "BatchMode maybe", "Ciphers foo", "HostKeyAlgorithms foo", "LogLevel LOUD",
                 "ConnectTimeout x", "RekeyLimit 1X", "RekeyLimit 15", "Match foo", "Match user", "Match all host x", "Match", "Host", "Include",
                 "IdentityFile \"a b", "User", "User \"\"", "ProxyJump :x", "ProxyJump a@b:99999", "Foo 1\nBar 2\nPort 3", "=22"):
        path = config(t, text)
        ours = dory(t, "-F", path, t.path("a"), "nowhere.invalid:")
        theirs = t.run(["/usr/bin/ssh", "-G", "-F", path, "nowhere.invalid"])
        t.check(ours.rc == 255 == theirs.rc, "%r: status %s, ssh's is %s" % (text, ours.rc, theirs.rc))
        t.check(said(ours) == said(theirs), "%r: %r, ssh says %r" % (text, ours.err, theirs.err))
    for words in ("-o Foo=1", "-o Port=x", "-o Host=x", "-o Match=all", "-o Include=x", "-o =1", "-o ProxyJump=", "-c foo", "-J :a", "-J a -J b",
                  "-o ProxyCommand=x -J a", "-o ConnectTimeout=-1", "-o StrictHostKeyChecking=q", "-Z", "-P", "-l 0", "-P x"):
        ours = dory(t, *words.split(), t.path("a"), "nowhere.invalid:")
        theirs = t.run(["/usr/bin/scp"] + words.split() + [t.path("a"), "nowhere.invalid:"])
        lines = [x for x in said(theirs).split(b"\n") if x and not x.endswith((b"scp: Connection closed", b"lost connection"))]
        theirs.err = b"".join(x + b"\n" for x in lines).replace(b"/usr/bin/scp: ", b"scp: ")
        t.check(said(ours) == theirs.err, "%s: %r, OpenSSH's scp says %r" % (words, ours.err, theirs.err))
    ours = dory(t, "-F", t.path("missing"), t.path("a"), "nowhere.invalid:")
    theirs = t.run(["/usr/bin/ssh", "-G", "-F", t.path("missing"), "nowhere.invalid"])
    t.check((ours.rc, said(ours)) == (theirs.rc, said(theirs)), "%r, ssh says %r" % (ours.err, theirs.err))


@case("dory to sshd: config: BindAddress, RevokedHostKeys and RequiredRSASize are honoured, what cannot be is refused")
def honoured(t):
    rsa = os.path.join(t.lab.keys, "host.rsa." + t.name)
    t.ok(t.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", rsa]))
    server = t.lab.fresh(t, "sshd", host_key=rsa)
    there = server.folder(t)
    content(t)

    def copy(*more):
        return dory(t, "-B", "-F", config(t, block("short", server, *more)), t.path("a"), "short:" + t.name)
    t.ok(copy("BindAddress 127.0.0.7", "RevokedHostKeys %s.pub" % t.lab.key, "RequiredRSASize 2048"))
    same(t, there)
    t.check("Connection from 127.0.0.7 " in server.whole_log(), "it came from elsewhere")
    t.fails(copy("BindAddress 192.0.2.1"), "assign requested address")
    picture = t.ok(t.run(["ssh-keygen", "-lv", "-f", rsa + ".pub"])).text.strip().split("\n", 1)[1]
    t.check(picture in t.ok(copy("VisualHostKey yes")).text, "the key was not drawn")
    t.fails(copy("RevokedHostKeys %s.pub" % rsa), "revoked", "host key verification failed")
    t.fails(copy("RevokedHostKeys %s" % t.path("missing")), "cannot read the revoked keys", "host key verification failed")
    t.fails(copy("RequiredRSASize 3072"), "RequiredRSASize", "host key verification failed")
    for line in ("KnownHostsCommand /bin/true", "BindInterface eth0"):
        t.fails(copy(line), line.split()[0])
        t.ok(dory(t, "-B", "-F", config(t, block("short", server), "Host other\n %s\n" % line), t.path("a"), "short:" + t.name))


# ---- known_hosts

@case("dory to sshd: known_hosts: several files, patterns, negation, authorities, an alias; names are hashed where that is wanted")
def known(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    content(t)
    kind, blob = t.lab.public(server.host_key).split()[:2]
    key = "%s %s\n" % (kind, blob)
    other = " ".join(t.lab.public(t.lab.wrong_key).split()[:2]) + "\n"
    place = "[%s]:%d" % (HOST, server.port)

    def copy(lines, *more, name="known"):
        path = files.write(t.path(name), lines)
        result = dory(t, "-B", "-F", "none", "-P", str(server.port), "-i", t.lab.key, "-o", "GlobalKnownHostsFile=none", *more,
                      "-o", "UserKnownHostsFile=%s" % path, t.path("a"), "%s@%s:%s" % (USER, HOST, t.name))
        return result
    for good in (place + " " + key, "[127.*]:* " + key, "*,!x " + key, "x " + other + "y,%s " % place + key, "%s " % HOST + key,
                 "@cert-authority * " + other + place + " " + key, place + " " + other.replace("ed25519", "nonsense") + place + " " + key,
                 "# " + place + " " + other + place + " " + key, "@revoked %s %s%s %s" % (place, other, place, key)):
        t.ok(copy(good))
        same(t, there)
    for bad in ("*,!%s,!%s " % (place, HOST) + key, "@cert-authority * " + key, "[%s]:1 " % HOST + key, "@revoked * " + key + place + " " + key):
        t.fails(copy(bad), "host key verification failed")
    files.write(t.path("first"), "x " + other)
    t.ok(copy(place + " " + key, "-o", "UserKnownHostsFile=%s %s" % (t.path("first"), t.path("known"))))
    t.ok(copy("alias " + key, "-o", "HostKeyAlias=alias"))
    t.fails(copy(place + " " + key, "-o", "HostKeyAlias=alias"), "alias", "host key verification failed")
    t.ok(copy("", "-o", "HashKnownHosts=yes", "-o", "StrictHostKeyChecking=accept-new"))
    t.check(files.read(t.path("known")).startswith(b"|1|"), "the name is not hashed")
    t.ok(t.run(["ssh-keygen", "-F", place, "-f", t.path("known")]))
    t.ok(dory(t, "-B", "-F", "none", "-P", str(server.port), "-i", t.lab.key, "-o", "UserKnownHostsFile=" + t.path("known"), t.path("a"),
              "%s@%s:%s" % (USER, HOST, t.name)))


@case("dory to sshd: known_hosts: a changed key is told with its place, and the line that removes it works; a known type comes first")
def changed(t):
    rsa = os.path.join(t.lab.keys, "host.rsa." + t.name)
    t.ok(t.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", rsa]))
    server = t.lab.fresh(t, "sshd", config=("HostKey " + rsa,))
    content(t)
    server.folder(t)
    place = "[%s]:%d" % (HOST, server.port)
    wrong = " ".join(t.lab.public(t.lab.wrong_key).split()[:2])
    path = files.write(t.path("kno wn"), "# one\n# two\nx,%s %s\n" % (place, wrong))
    words = ["-F", config(t, block("short", server, key=t.lab.key).replace(server.known, '"%s"' % path)), t.path("a"), "short:" + t.name]
    result = t.fails(dory(t, "-B", *words), "IDENTIFICATION HAS CHANGED", "%s:3" % path, "host key verification failed")
    fingerprint = t.run(["ssh-keygen", "-l", "-f", server.host_key]).text.split()[1]
    t.says(result, fingerprint)
    command = re.search(r"ssh-keygen -f .*", result.text).group()
    t.ok(t.run(["/bin/sh", "-c", command]))
    t.ok(dory(t, "-B", "-o", "StrictHostKeyChecking=accept-new", *words))
    files.write(path, "%s %s\n" % (place, " ".join(t.lab.public(rsa).split()[:2])))
    t.says(t.ok(dory(t, "-v", "-B", *words)), "host key algorithm: rsa-sha2-512")


# ---- ProxyJump, ProxyCommand

def hops(t):
    """Three hosts: the target takes its own key, each hop another one."""
    one, two, target = t.lab.server("sshd"), t.lab.fresh(t, "sshd"), t.lab.server("serve")
    return one, two, target, config(t, block("one", one), block("two", two), block("target", target))


@case("dory to sshd: -J: through two hosts of sshd to dory serve, both ways")
def two_hops(t):
    one, two, target, path = hops(t)
    there = target.folder(t)
    big = files.write(t.path("a"), b"0123456789abcdef" * (1 << 16))
    t.ok(dory(t, "-B", "-F", path, "-J", "one,two", big, "target:" + t.name))
    files.same(big, there + "/a")
    t.ok(dory(t, "-B", "-F", path, "-J", "one,two", "target:%s/a" % t.name, t.path("back")))
    files.same(big, t.path("back"))
    three = config(t, open(path).read(), block("three", t.lab.server("dropbear")), name="with-dropbear")
    t.ok(dory(t, "-B", "-F", three, "-J", "three", "target:%s/a" % t.name, t.path("back")))
    files.same(big, t.path("back"))
    said = t.ok(dory(t, "-v", "-B", "-F", path, "-J", "one,two", big, "target:" + t.name)).text
    t.check(len(re.findall("Authenticated to", said)) == 3, "not three hosts were logged into")
    t.check(t.lab.server("serve").alive(), "the target ended")


@case("dory to sshd: -J: as user@host:port and ssh://, and as ProxyJump; none takes it back; the command line's -o is not for the hops")
def jumps(t):
    one, two, target, path = hops(t)
    there = target.folder(t)
    content(t)
    extra = "Host %s\n UserKnownHostsFile %s\n IdentityFile %s\n" % (HOST, one.known, t.lab.key)
    path = config(t, open(path).read(), extra, name="second")
    for way in ("%s@%s:%d" % (USER, HOST, one.port), "ssh://%s@%s:%d" % (USER, HOST, one.port)):
        t.ok(dory(t, "-B", "-F", path, "-J", way, t.path("a"), "target:" + t.name))
        same(t, there)
        os.unlink(there + "/a")
    by_file = config(t, "Match originalhost target\n ProxyJump one\n", open(path).read(), name="third")
    mark = one.log_size()
    t.ok(dory(t, "-B", "-F", by_file, t.path("a"), "target:" + t.name))
    same(t, there)
    t.check(one.log_size() > mark, "the hop was not used")
    mark = one.log_size()
    t.ok(dory(t, "-B", "-F", by_file, "-o", "ProxyJump=none", t.path("a"), "target:" + t.name))
    t.check(one.log_size() == mark, "the hop was used")
    t.ok(dory(t, "-B", "-F", by_file, "-o", "RekeyLimit=1M", "-c", "aes256-ctr", t.path("a"), "target:" + t.name))


@case("dory to sshd: -J: a hop that refuses, is not known, or cannot reach the target, is told")
def bad_hops(t):
    one, two, target, path = hops(t)
    shut = t.lab.fresh(t, "sshd", config=("AllowTcpForwarding no",))
    content(t)
    path = config(t, open(path).read(), block("shut", shut), block("stranger", one, "HostKeyAlias nobody", "StrictHostKeyChecking yes"),
                  block("locked", one, key=t.lab.wrong_key), "Host gone\n HostName 127.0.0.1\n Port 1\n",
                  "Host loop\n ProxyJump loop\n", name="more")
    for hop, host, words in (("shut", "target", ("shut", "administratively prohibited")), ("stranger", "target", ("nobody",)),
                             ("locked", "target", ("permission denied",)), ("one", "gone", ("one", "connect failed")),
                             ("target", "one", ("target", "no way")), ("gone", "target", ("refused",)), ("loop", "target", ("jumphost loop",))):
        result = t.fails(dory(t, "-B", "-F", path, "-J", hop, t.path("a"), host + ":" + t.name), *words)
        t.check(result.rc == 255, "status %d through %s" % (result.rc, hop))


@case("dory to sshd: -J: the password of each hop is asked for at the terminal, and a new host of each is shown")
def typed(t):
    one, target = t.lab.server("sshd"), t.lab.server("serve")
    there = target.folder(t)
    content(t)
    blocks = [block(name, server, "PubkeyAuthentication no").replace(server.known, t.path("known"))
              for name, server in (("one", one), ("target", target))]
    terminal = Terminal(t, [t.lab.dory, "scp", "-F", config(t, *blocks), "-J", "one", t.path("a"), "target:" + t.name])
    for name, server in (("one", one), ("target", target)):
        terminal.expect("'%s (%s)' port %d" % (name, HOST, server.port))
        terminal.expect("(yes/no")
        terminal.send("yes\r")
        terminal.expect(re.compile(b"%s@%s.*assword:" % (USER.encode(), name.encode())))
        terminal.send(sandbox.PASSWORD + "\r")
    t.ok(t.hear(terminal.end()))
    same(t, there)
    t.check(len(files.read(t.path("known")).splitlines()) == 2, "not both hosts are known now")
    terminal = Terminal(t, [t.lab.dory, "scp", "-F", config(t, *blocks), "-J", "one", t.path("a"), "target:" + t.name])
    terminal.expect("assword:")
    terminal.interrupt()
    result = t.hear(terminal.end())
    t.check(result.rc != 0, "status %s" % result.rc)


@case("dory to sshd: ProxyCommand: nc's like, and ssh -W, with their tokens")
def proxy_command(t):
    one, two, target, path = hops(t)
    there = target.folder(t)
    content(t)
    relay = files.write(t.path("relay"), RELAY, mode=0o755)
    for command in ("%s %%h %%p" % relay, "ssh -F %s -W %%h:%%p one" % path, "%s %%h %%p %%n %%%%n %%r" % relay):
        result = t.ok(dory(t, "-B", "-F", path, "-o", "ProxyCommand=" + command, t.path("a"), "target:" + t.name))
        same(t, there)
        os.unlink(there + "/a")
        t.check(("target %%n %s" % USER in result.text) == ("%r" in command), result.text)
    result = t.fails(dory(t, "-B", "-F", path, "-o", "ProxyCommand=exit 3", t.path("a"), "target:" + t.name), ("closed", "reset"))
    t.check(result.rc == 255, "status %d" % result.rc)


RELAY = """#!/usr/bin/python3
import os, select, socket, sys
sys.stderr.write(" ".join(sys.argv[3:]))
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
ends = {0: s.fileno(), s.fileno(): 1}
while True:
    for fd in select.select(list(ends), [], [])[0]:
        data = os.read(fd, 65536)
        if not data:
            sys.exit()
        while data:
            data = data[os.write(ends[fd], data):]
"""


# ---- -R

@case("dory to sshd: -R: the source host's own scp copies to the target host, and never asks for a password")
def direct(t):
    one, two = t.lab.server("sshd"), t.lab.fresh(t, "sshd", config=("Subsystem sftp internal-sftp",))
    there = one.folder(t)
    path = config(t, block("one", one), block("two", two))
    ssh = sandbox.home() + "/.ssh/config"
    t.at_end(os.unlink, ssh)
    files.write(ssh, block("two", two, key=t.lab.marlin_key) + block("locked", two, key="/nonexistent"), mode=0o600, owner=sandbox.UID)
    for name in ("a", "b c", "q'uo\"te$(x)"):
        files.write(os.path.join(there, name), "content of a in %s" % t.name, owner=sandbox.UID)
    os.makedirs(there + "/into")
    os.chown(there + "/into", sandbox.UID, sandbox.UID)
    t.ok(dory(t, "-R", "-B", "-F", path, "one:%s/a" % t.name, "two:%s/copied" % t.name))
    same(t, there, "copied")
    t.ok(dory(t, "-R", "-rp", "-B", "-F", path, "one:%s/b c" % t.name, "one:%s/q'uo\"te$(x)" % t.name, "one:%s/?" % t.name, "two:%s/into" % t.name))
    files.only(there + "/into", "a", "b c", "q'uo\"te$(x)")
    t.check(two.whole_log().count("Accepted publickey") >= 4, "the source host did not log in")
    result = t.fails(dory(t, "-R", "-F", path, "-o", "BatchMode=yes", "one:%s/a" % t.name, "locked:%s/no" % t.name), "permission denied")
    t.check(result.rc == 1, "status %d" % result.rc)
    t.fails(dory(t, "-R", "-B", "-F", path, "one:%s/missing" % t.name, "two:%s/no" % t.name), "missing")
    t.check(not os.path.exists(there + "/no"), "something was copied")


# ---- -S

@case("dory to sshd: -S: stock ssh carries the copies, and gets the words that OpenSSH's scp gives it")
def program(t):
    one, two = t.lab.server("sshd"), t.lab.fresh(t, "sshd", config=("Subsystem sftp internal-sftp",))
    there = one.folder(t)
    path = config(t, block("one", one), block("two", two))
    big = files.write(t.path("a"), b"0123456789abcdef" * (1 << 17))
    os.makedirs(t.path("tree/deep"))
    files.write(t.path("tree/deep/b"), "deep")
    common = ["-B", "-F", path, "-S", "/usr/bin/ssh"]
    t.ok(dory(t, *common, big, "one:%s/up" % t.name))
    files.same(big, there + "/up")
    t.ok(dory(t, *common, "-l", "800000", "one:%s/up" % t.name, t.path("down")))
    files.same(big, t.path("down"))
    t.ok(dory(t, *common, "-rp", t.path("tree"), big, "one:" + t.name))
    files.same_tree(t.path("tree"), there + "/tree", times=True)
    t.ok(dory(t, *common, "one:%s/up" % t.name, "two:%s/across" % t.name))
    files.same(big, there + "/across")
    t.ok(dory(t, *common, "-s", big, "two:%s/by-sftp" % t.name))
    files.same(big, there + "/by-sftp")
    t.ok(dory(t, *common, "-o", "Hostname=%s" % HOST, "-P", str(one.port), "%s@one:%s/up" % (USER, t.name), t.path("named")))
    result = t.fails(dory(t, *common, "one:%s/missing" % t.name, t.path("x")), "missing: no such file")
    t.check(result.rc == 1, "status %d" % result.rc)
    for words in (["one:x", "."], ["-O", t.path("a"), "u@one:"], ["-vCq46A", "-o", "Foo=bar", "-i", "id", "-c", "x", "-J", "j", "-P", "7", "-B", "-l",
                   "9", t.path("a"), "scp://v@one:8/y"], ["-s", t.path("a"), "one:y"]):
        shown = files.write(t.path("show"), "#!/bin/sh\nfor a; do printf '<%s>' \"$a\"; done >&2\necho >&2\nexit 255\n", mode=0o755)
        mode = [] if "-s" in words else ["-O"]      # without it OpenSSH's speaks SFTP
        ours = dory(t, "-S", shown, *mode, *words).err.splitlines()
        theirs = t.run(["/usr/bin/scp", "-S", shown] + mode + words).err.splitlines()
        ours, theirs = ([x for x in lines if x.startswith(b"<")] for lines in (ours, theirs))
        t.check(ours[0].replace(b" -- ", b" ") == theirs[0].replace(b" -- ", b" "), "%r is not %r" % (ours, theirs))


# ---- Targets that no file can be renamed onto

@case("dory to sshd: /dev/stdout as a target, as with OpenSSH's scp -O")
def stdout(t):
    server = t.lab.server("sshd")
    files.write(os.path.join(server.folder(t), "a"), "content of a in %s" % t.name, owner=sandbox.UID)
    for client in (OPENSSH, DORY):
        result = t.ok(client.copy(t, server, R(t.name + "/a"), "/dev/stdout", ["-q"]))
        t.check(result.out == b"content of a in %s" % t.name.encode(), "%r came" % result.out)
    argv, env = DORY.command(t, server, [R(t.name + "/a")], "/dev/stdout", ["-q"])
    result = t.run(["/bin/sh", "-c", '"$@" | cat', "sh"] + argv, env=env)
    t.check(result.out == b"content of a in %s" % t.name.encode(), "%r came through a pipe" % result.out)


@case("dory to sshd: a file that may be written is written in place where no file can be made")
def in_place(t):
    server = t.lab.server("remote")
    there = server.folder(t)
    content(t)
    os.makedirs(t.path("shut"))
    for folder in (there, t.path("shut")):
        files.write(folder + "/a", "longer than what comes: " + "x" * 1000, mode=0o666)
        os.chmod(folder, 0o555)
        os.chown(folder, 0, 0)
    key = t.lab.marlin_key
    t.ok(OPENSSH.copy(t, server, t.path("a"), R(t.name + "/a")))
    same(t, there)
    for target in ("shut", "shut/a"):
        files.write(t.path("shut/a"), "longer than what comes: " + "x" * 1000)
        t.ok(DORY.copy(t, t.lab.server("sshd"), R(t.name + "/a"), t.path(target), user=USER, key=key))
        same(t, t.path("shut"))
    t.fails(DORY.copy(t, t.lab.server("sshd"), R(t.name + "/a"), t.path("shut/b"), user=USER, key=key), "shut/b", "permission denied")
    files.only(t.path("shut"), "a")
    files.only(there, "a")


# ---- Exit statuses

STATUSES = (        # words, in which {k} stands for the options that make a copy possible, {h} for the host, {t} for the case's folder there
    "", "-Z", "a", "-P 0 a h:", "-P 22x a h:", "-P -1 a h:", "-l 0 a h:", "-l x a h:", "-o", "-S", "-i", "-X", "-o Foo=1 a h:", "-o Port=x a h:",
    "-o Host=h a h:", "-c rot13 a h:", "-F /nonexistent a h:", "-J :x a h:", "-J x/y a h:", "-o =1 a h:",
    "a nowhere.invalid:", "nowhere.invalid:a .", "nowhere.invalid:a nowhere.invalid:b", "-R nowhere.invalid:a nowhere.invalid:b",
    "missing nowhere.invalid:", "a b missing", "a missing/", "missing b", "a a", "d b", "-r d b", "a b d", "a b a",
    "{k} a {h}:{t}/a", "{k} a b {h}:{t}", "{k} missing {h}:{t}", "{k} a missing {h}:{t}", "{k} a {h}:{t}/missing/a",
    "{k} {h}:{t}/a x", "{k} {h}:{t}/missing x", "{k} {h}:{t}/a {h}:{t}/missing d", "{k} {h}:{t}/a /nonexistent/x", "{k} {h}:{t}/*.none x",
    "{k} d {h}:{t}", "{k} {h}:{t} d", "{k} -r d {h}:{t}", "{k} {h}:{t}/shut x", "{k} a {h}:{t}/shut", "{k} -r {h}:{t} a",
    "{k} {h}:{t}/a {h}:{t}/b", "{k} {h}:{t}/missing {h}:{t}/b", "{k} {h}:{t}/a {h}:{t}/missing/b", "{k} a {h}:{t}/b {h}:{t}",
    "{k} -R {h}:{t}/missing {h}:{t}/b", "{k} -l 1000 a {h}:{t}/c", "{k} -T {h}:{t}/a x", "{k} -q -p -r -C -4 a {h}:{t}/d",
    "{k} -o User=nobody a {h}:{t}", "{k} -o HostKeyAlias=other a {h}:{t}", "{k} -c aes128-cbc a {h}:{t}", "{k} a 'bad user@{h}:{t}'",
    "{k} a scp://{h}:0/{t}", "{k} a scp://{h}/%zz", "-- -a {h}:{t}",
)


# Left out: several sources for a target that is a file. It is 1 with Dory, and with OpenSSH's -O, but 255 where that speaks SFTP.

@case("exit statuses are those of OpenSSH's scp, with -O, with -s and without")
def statuses(t):
    server = t.lab.fresh(t, "sshd", config=("Subsystem sftp internal-sftp",))
    there = server.folder(t)
    differ = []
    for mode in ([], ["-O"], ["-s"]):
        for line in STATUSES:
            seen = []
            for client, program in ((DORY, [t.lab.dory, "scp"]), (OPENSSH, ["/usr/bin/scp"])):
                here = t.path(client.name)
                prepare(here, there)
                argv, env = client.command(t, server, [], None, [])
                options = argv[argv.index("-F"):-1]
                line_words = line.format(k="{k}", h="%s@%s" % (USER, HOST), t=t.name).replace("'bad user", "bad_ user").split()
                words = [w.replace("bad_", "bad user") for w in line_words]
                at = words.index("{k}") if "{k}" in words else -1
                if at >= 0:
                    words[at:at + 1] = options
                seen.append(t.run(program + mode + words, env=env, cwd=here).rc)
            if seen[0] != seen[1]:
                differ.append("%s: %s, OpenSSH's %s" % (" ".join(mode + [line]), *seen))
    t.check(not differ, "; ".join(differ))


def prepare(here, there):
    """The same before each command."""
    for folder in (here, there):
        os.chmod(folder, 0o755) if os.path.isdir(folder) else None
        t = os.path.join(folder, "")
        os.makedirs(t, exist_ok=True)
        for entry in os.listdir(t):
            if os.path.isdir(t + entry):
                shutil.rmtree(t + entry)
            else:
                os.unlink(t + entry)
        for name in "ab":
            files.write(t + name, name, owner=sandbox.UID)
        os.mkdir(t + "d")
        os.chown(t + "d", sandbox.UID, sandbox.UID)
    files.write(there + "/shut", "", mode=0)
