"""Who may come in at `dory serve`: its questions, its log, its limits, authorized_keys."""
import os
import shutil
import threading

import paramiko

from lib import files, sandbox
from lib.auth import arrived, asking, fetch, log_lines, prints
from lib.case import add, case
from lib.clients import DBCLIENT, DORY, NEW_DBCLIENT, OPENSSH, PARAMIKO, R, SSH_
from lib.terminal import Terminal


# ---- dory serve asks

def interactive(client, options):
    def work(t):
        server = t.lab.fresh(t, "serve", options=["-v"])
        source = files.write(t.path("source"), "content")
        there = server.folder(t)
        t.ok(client.copy(t, server, source, R(t.name + "/a"), password=sandbox.PASSWORD, options=options))
        files.same(there + "/a", source)
        log_lines(t, server, "keyboard-interactive: accepted")
    return work


ONLY = ["PreferredAuthentications=keyboard-interactive"]
for client_, options_ in ((OPENSSH, ONLY), (DBCLIENT, ()), (NEW_DBCLIENT, ()), (PARAMIKO, ["interactive"]), (DORY, ONLY)):
    add("%s to dory serve: auth: keyboard-interactive" % client_.name, interactive(client_, options_))


@case("openssh to dory serve: auth: keyboard-interactive at a terminal")
def serve_asks_terminal(t):
    server = t.lab.fresh(t, "serve", options=["-v"])
    files.write(server.folder(t) + "/x", "content", owner=sandbox.UID)
    argv = ["scp", "-O", "-F", "none", "-P", str(server.port), "-o", "UserKnownHostsFile=" + server.known, "-o", "PubkeyAuthentication=no",
            "%s@127.0.0.1:%s/x" % (sandbox.USER, t.name), t.path("arrived")]
    terminal = Terminal(t, argv)
    for word in ("wrong", "", sandbox.PASSWORD):
        terminal.expect("(marlin@127.0.0.1) Password: ")
        terminal.send(word + "\r")
    arrived(t, t.hear(terminal.end()))
    t.check(len(log_lines(t, server, "keyboard-interactive: refused", "user marlin", "127.0.0.1:")) == 2, server.whole_log())
    log_lines(t, server, "keyboard-interactive: accepted", "user marlin", "127.0.0.1:")


@case("auth: dory serve without a password file asks nothing; without authorized_keys it takes no key")
def serve_methods(t):
    for how, shown in (({"passwords": False}, "(publickey)"), ({"authorized": False}, "(password,keyboard-interactive)"),
                       ({}, "(publickey,password,keyboard-interactive)")):
        server = t.lab.fresh(t, "serve", **how)
        result = t.run(["ssh", "-F", "none", "-p", str(server.port), "-o", "UserKnownHostsFile=" + server.known, "-o", "BatchMode=yes",
                        "-i", t.lab.wrong_key, "marlin@127.0.0.1"])
        t.fails(result, "Permission denied " + shown)


@case("auth: keyboard-interactive at dory serve: --max-auth-tries, and answers that are none")
def serve_tries(t):
    server = t.lab.fresh(t, "serve", options=["--max-auth-tries", "3"])
    result = fetch(t, server, asking("wrong"), options=["PubkeyAuthentication=no", "NumberOfPasswordPrompts=10"], batch=False)
    t.fails(result, "Received disconnect from", "Too many authentication failures")
    t.check(len(log_lines(t, server, "keyboard-interactive: refused")) == 3, server.whole_log())
    for answers in ([], ["", ""], [sandbox.PASSWORD, ""], ["x" * 10240], [""]):
        transport = paramiko.Transport(("127.0.0.1", server.port))
        t.at_end(transport.close)
        transport.start_client()
        try:
            transport.auth_interactive(sandbox.USER, lambda title, instructions, prompts: answers)
            t.fail("%d answers came in" % len(answers))
        except paramiko.AuthenticationException:
            pass
        transport.close()


@case("auth: keyboard-interactive at dory serve: an unknown user sees what a known one sees")
def serve_unknown(t):
    server = t.lab.fresh(t, "serve")
    seen = []
    for user in (sandbox.USER, "nobody-here", "x" * 32):
        prompts = []
        transport = paramiko.Transport(("127.0.0.1", server.port))
        t.at_end(transport.close)
        transport.start_client()

        def handler(title, instructions, asked):
            prompts.append((title, instructions, asked))
            return [sandbox.PASSWORD if user != sandbox.USER else "wrong"]
        for _ in range(2):
            try:
                transport.auth_interactive(user, handler)
                t.fail("%s came in" % user)
            except paramiko.BadAuthenticationType as e:
                t.fail("%s: %s" % (user[:20], e))
            except paramiko.AuthenticationException:
                pass
        transport.close()
        seen.append(prompts)
    t.check(seen[0] == [("", "", [("Password: ", False)])] * 2, "asked %r" % seen[0])
    t.check(seen[1] == seen[0] and seen[2] == seen[0], "others were asked %r" % seen[1:])


@case("auth: --login-grace-time of dory serve ends who does not answer its question")
def serve_grace(t):
    server = t.lab.fresh(t, "serve", options=["--login-grace-time", "1"])
    waiting = threading.Event()
    transport = paramiko.Transport(("127.0.0.1", server.port))
    t.at_end(transport.close)
    transport.start_client()

    def handler(title, instructions, asked):
        waiting.set()
        t.eventually(lambda: not transport.is_active(), "the end of the connection")
        return [sandbox.PASSWORD]
    try:
        transport.auth_interactive(sandbox.USER, handler)
        t.fail("it came in")
    except (paramiko.SSHException, EOFError, OSError):
        pass
    t.check(waiting.is_set(), "nothing was asked")
    log_lines(t, server, "session without login")


@case("auth: the log of dory serve: each login with method, key and address, names escaped")
def serve_log(t):
    server = t.lab.fresh(t, "serve", options=["-v"])
    server.folder(t)
    for name in ("evil\x1b[31m\nfake: line", sandbox.USER):
        transport = paramiko.Transport(("127.0.0.1", server.port))
        t.at_end(transport.close)
        transport.start_client()
        here = "127.0.0.1:%d" % transport.sock.getsockname()[1]
        for word in ("wrong", "wr\nong"):
            try:
                transport.auth_password(name, word, fallback=False)
            except paramiko.AuthenticationException:
                pass
        for key in (t.lab.wrong_key, t.lab.key):
            try:
                transport.auth_publickey(name, paramiko.Ed25519Key(filename=key))
            except paramiko.AuthenticationException:
                pass
        transport.close()
        wrong, right = prints(t, t.lab.wrong_key, t.lab.key)
        shown = "evil\\033[31m\\nfake: line" if name != sandbox.USER else name
        t.check(len(log_lines(t, server, here, "user %s, password: refused" % shown)) == 2, server.whole_log())
        log_lines(t, server, here, "user %s, publickey %s: refused" % (shown, wrong))
        log_lines(t, server, here, "user %s, publickey %s: %s" % (shown, right, "accepted" if name == sandbox.USER else "refused"))
    t.check("\x1b" not in server.whole_log() and "\nfake" not in server.whole_log(), "a name commands the log")
    t.check("wr" + "ong" not in server.whole_log(), "a password is in the log")


@case("auth: the log of dory serve without -v: failures, and one line for a session that came in")
def serve_log_short(t):
    server = t.lab.fresh(t, "serve")
    there = server.folder(t)
    files.write(there + "/x", "x", owner=sandbox.UID)
    wrong, right = prints(t, t.lab.wrong_key, t.lab.key)
    argv = ["-F", "none", "-o", "UserKnownHostsFile=" + server.known, "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", t.lab.wrong_key]
    t.ok(t.run(["scp", "-O", "-P", str(server.port)] + argv + ["-i", t.lab.key, "marlin@127.0.0.1:%s/x" % t.name, t.path("x")]))
    log_lines(t, server, "session of marlin (publickey %s)" % right)
    lines = [x for x in server.whole_log().splitlines() if "127.0.0.1:" in x and "listening" not in x]
    t.check(len(lines) == 2 and "download" in lines[0], "the log: %r" % lines)
    t.fails(t.run(["ssh", "-p", str(server.port)] + argv + ["marlin@127.0.0.1", "x"]), "denied")
    log_lines(t, server, "session without login as marlin, last key %s" % wrong)
    t.fails(fetch(t, server, key=t.lab.wrong_key), "denied")        # signs at once
    log_lines(t, server, "user marlin, publickey %s: refused" % wrong)


# ---- authorized_keys of dory serve

def own_file(t, text, mode=0o644, folder_mode=0o755):
    folder = os.path.join(t.lab.keys, "of." + t.name)
    if not os.path.isdir(folder):
        os.mkdir(folder)
    os.chmod(folder, folder_mode)
    return files.write(os.path.join(folder, "authorized_keys"), text, mode=mode)


def keyed(t, line):
    """A server that lets the lab's key in by this line."""
    path = own_file(t, line.replace("KEY", t.lab.public(t.lab.key)) + "\n")
    return t.lab.fresh(t, "serve", authorized=path, passwords=False)


def scp(t, server, source, target):
    return OPENSSH.copy(t, server, source, target)


@case("openssh to dory serve: auth: command= in authorized_keys: a forced upload goes where the line says, as with sshd")
def forced_upload(t):
    source = files.write(t.path("source"), "content")
    for kind in ("serve", "sshd"):
        line = 'restrict,command="scp -t %s/in" %s' % (t.name, t.lab.public(t.lab.key))
        server = t.lab.fresh(t, kind, authorized=own_file(t, line + "\n"))
        there = server.folder(t)
        os.mkdir(there + "/in")
        os.chown(there + "/in", sandbox.UID, sandbox.UID)
        files.write(there + "/secret", "secret", owner=sandbox.UID)
        t.ok(scp(t, server, source, R(t.name + "/elsewhere")))
        files.only(there, "in", "secret")
        files.holds(there + "/in/source", "content")
        for command in ("cat %s/secret", "scp -f %s/secret"):
            t.check(b"secret" not in SSH_.run(t, server, [command % t.name], stdin=b"\0\0\0").out, "%s: %s" % (kind, command))
        if kind == "serve":
            log_lines(t, server, "scp -t %s/in instead of scp -t %s/elsewhere" % (t.name, t.name))
        server.stop()
        shutil.rmtree(there)


@case("openssh to dory serve: auth: command= in authorized_keys: a forced download")
def forced_download(t):
    server = keyed(t, 'command="scp -f %s/public" KEY' % t.name)
    there = server.folder(t)
    files.write(there + "/public", "for all", owner=sandbox.UID)
    files.write(there + "/secret", "secret", owner=sandbox.UID)
    t.ok(scp(t, server, R(t.name + "/public"), t.path("b")))
    files.holds(t.path("b"), "for all")
    for command in ("scp -f %s/secret", "scp -t %s/secret", "cat %s/secret"):
        out = SSH_.run(t, server, [command % t.name], stdin=b"\0\0\0").out
        t.check(out.endswith(b" public\nfor all\0"), "%s: %r" % (command, out))
    files.only(there, "public", "secret")
    files.holds(there + "/secret", "secret")


@case("openssh to dory serve: auth: command= holds for its key alone, not for a password or another key")
def forced_alone(t):
    marlin = t.lab.public(t.lab.marlin_key)
    path = own_file(t, 'command="scp -t in" %s\n%s\n' % (t.lab.public(t.lab.key), marlin))
    server = t.lab.fresh(t, "serve", authorized=path)
    there = server.folder(t)
    source = files.write(t.path("source"), "content")
    t.ok(OPENSSH.copy(t, server, source, R(t.name + "/a")))
    files.holds(server.root + "/in", "content")
    os.remove(server.root + "/in")
    t.ok(OPENSSH.copy(t, server, source, R(t.name + "/b"), key=t.lab.marlin_key))
    t.ok(OPENSSH.copy(t, server, source, R(t.name + "/c"), password=sandbox.PASSWORD))
    files.only(there, "b", "c")


@case("openssh to dory serve: auth: what authorized_keys cannot honour is refused, and the log says line and reason")
def not_honoured(t):
    source = files.write(t.path("source"), "content")
    key = t.lab.public(t.lab.key)
    for text, words in (
            ('# x\nprincipals="a" %s\n' % key, ("authorized_keys:2", "principals")),
            ("restrict,verify-required %s\n" % key, ("authorized_keys:1", "verify-required")),
            ('environment="A=B" %s\r\n' % key, ("authorized_keys:1", "environment")),
            ('command="sh -c \'scp -t x\'" %s\n' % key, ("authorized_keys:1", "command=")),
            ('from="::1" %s\n' % key, ("authorized_keys:1", "from=")),
            ('expiry-time="20200101Z" %s\n' % key, ("authorized_keys:1", "expiry-time=")),
            ("%s %s\n" % ("x" * 17000, key), ("authorized_keys:1", "left out"))):
        server = t.lab.fresh(t, "serve", authorized=own_file(t, text), passwords=False)
        t.fails(OPENSSH.copy(t, server, source, R("x")), "denied")
        log_lines(t, server, prints(t, t.lab.key)[0], *words)
        server.stop()


@case("openssh to dory serve: auth: authorized_keys that others can replace")
def replaceable(t):
    source = files.write(t.path("source"), "content")
    key = t.lab.public(t.lab.key) + "\n"
    for mode, folder, comes_in in ((0o644, 0o755, True), (0o664, 0o755, False), (0o646, 0o755, False), (0o644, 0o775, False), (0o644, 0o757, False),
                                   (0o600, 0o755, False)):     # the last: not this user's
        server = t.lab.fresh(t, "serve", authorized=own_file(t, key), passwords=False)
        server.folder(t)
        path = own_file(t, key, mode, folder)
        result = OPENSSH.copy(t, server, source, R(t.name + "/a"))
        if comes_in:
            t.ok(result)
        else:
            t.fails(result, "denied")
            log_lines(t, server, path, ("chmod go-w" if mode != 0o600 else "cannot read"))
        server.stop()


@case("openssh to dory serve: auth: command=\"internal-sftp\" in authorized_keys: no other subsystem and no command, as with sshd")
def forced_sftp(t):
    source = files.write(t.path("source"), "content")
    for kind in ("serve", "sshd"):
        server = t.lab.fresh(t, kind, config=["Subsystem sftp internal-sftp"],
                             authorized=own_file(t, 'command="internal-sftp",restrict %s\n' % t.lab.public(t.lab.key)))
        there = server.folder(t)
        argv, env = OPENSSH.command(t, server, [source], R(t.name + "/a"), ["-s"])
        argv.remove("-O")
        t.ok(t.run(argv, env=env))
        files.holds(there + "/a", "content")
        init = (5).to_bytes(4, "big") + b"\x01\0\0\0\x03"
        result = SSH_.run(t, server, ["other"], ["-s"], stdin=init)
        t.check(result.rc != 0 and not result.out, "%s: another subsystem: %r" % (kind, result.out))
        for command in ("scp -f %s/a" % t.name, "echo hello", "internal-sftp"):
            result = t.fails(SSH_.run(t, server, [command], stdin=init))
            t.check(b"sftp" in result.out + result.err and b"content" not in result.out, "%s: %s: %r" % (kind, command, result.out))
        server.stop()
        shutil.rmtree(there)
