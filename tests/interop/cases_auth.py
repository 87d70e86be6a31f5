"""Who may come in: ssh-agent, the order of keys, several methods in a row, questions of the server, authorized_keys."""
import os
import re
import shutil
import socket
import threading

import paramiko

from lib import files, sandbox
from lib.case import case
from lib.clients import DBCLIENT, DORY, NEW_DBCLIENT, OPENSSH, PARAMIKO, R, SSH_, ask
from lib.paramiko_server import ParamikoServer
from lib.terminal import Terminal

KEY_TYPES = (("ed25519", ()), ("ecdsa", ("-b", "256")), ("ecdsa", ("-b", "384")), ("ecdsa", ("-b", "521")), ("rsa", ("-b", "2048")))


# ---- keys and agents

def make_key(t, name="key", kind="ed25519", flags=(), passphrase=""):
    path = t.path(name)
    t.ok(t.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", name, "-f", path] + list(flags)))
    return path


def authorized(t, *keys, options=""):
    """An authorized_keys file for these keys alone."""
    path = os.path.join(t.lab.keys, "authorized.%s.%d" % (t.name, len(os.listdir(t.lab.keys))))
    return files.write(path, "".join("%s%s%s\n" % (options, " " if options else "", t.lab.public(k)) for k in keys), mode=0o644)


class Agent:
    """OpenSSH's ssh-agent, for one case."""

    def __init__(self, t, *keys, flags=(), env=None):
        self.t, self.socket = t, t.path("agent")
        self.process = t.start(["ssh-agent", "-D", "-a", self.socket], env=env)
        t.eventually(lambda: os.path.exists(self.socket), "the agent's socket")
        for key in keys:
            self.add(key, *flags)

    @property
    def env(self):
        return {"SSH_AUTH_SOCK": self.socket}

    def add(self, key, *flags):
        self.t.ok(self.t.run(["ssh-add", "-q"] + list(flags) + [key], env=self.env))


def offered(result):
    """Fingerprints in the order in which -v says that they were offered, and whether the agent held them."""
    return re.findall(r"Offering public key: .* (SHA256:\S+)( explicit)?( agent)?", result.text)


def prints(t, *keys):
    return [t.ok(t.run(["ssh-keygen", "-l", "-f", k + ".pub"])).out.decode().split()[1] for k in keys]


def fetch(t, server, env=None, flags=(), options=(), key=None, home=None, batch=True):
    """`dory scp` of a file from the server; the identities are what flags and options say."""
    there = server.folder(t)
    files.write(there + "/x", "content", owner=sandbox.UID)
    argv = [t.lab.dory, "scp", "-P", str(server.port), "-v"] + list(flags)
    options = list(options) + ["UserKnownHostsFile=" + server.known, "StrictHostKeyChecking=yes"] + (["BatchMode=yes"] if batch else [])
    for option in options:
        argv += ["-o", option]
    for path in [key] if isinstance(key, str) else key or []:
        argv += ["-i", path]
    env = dict(env or {}, HOME=home or t.path())
    argv += ["%s@%s:%s/x" % (sandbox.USER, server.host, t.name), t.path("arrived")]
    return t.run(argv, env=env)


def arrived(t, result):
    t.ok(result)
    files.holds(t.path("arrived"), "content")
    os.remove(t.path("arrived"))
    return result


def expect_order(t, result, *keys):
    got = [x[0] for x in offered(result)]
    t.check(got == prints(t, *keys), "offered %r instead of %r" % (got, prints(t, *keys)))
    return offered(result)


def sshd(t, *keys, config=(), **how):
    return t.lab.fresh(t, "sshd", authorized=authorized(t, *keys), config=config, **how)


@case("auth: keys of every type in ssh-agent")
def agent_types(t):
    keys = [make_key(t, "k%d" % i, kind, flags) for i, (kind, flags) in enumerate(KEY_TYPES)]
    server = sshd(t, *keys)
    for key in keys:
        agent = Agent(t, key)
        expect_order(t, arrived(t, fetch(t, server, agent.env)), key)
        agent.process.kill()
        os.remove(agent.socket)


@case("auth: ssh-agent and Dropbear, which takes rsa-sha2-256 alone")
def agent_dropbear(t):
    keys = [make_key(t, "ed"), make_key(t, "rsa", "rsa", ("-b", "2048"))]
    server = t.lab.server("dropbear")
    home = os.path.join(sandbox.home(), ".ssh", "authorized_keys")
    before = files.read(home)
    t.at_end(lambda: files.write(home, before, mode=0o644, owner=sandbox.UID))
    for key in keys:
        files.write(home, t.lab.public(key) + "\n", mode=0o644, owner=sandbox.UID)
        agent = Agent(t, key)
        arrived(t, fetch(t, server, agent.env))
        agent.process.kill()
        os.remove(agent.socket)


@case("auth: the order of keys: the agent's that -i names, the agent's others, files")
def order(t):
    a, b, c, d = (make_key(t, n) for n in "abcd")
    server = sshd(t, d)
    agent = Agent(t, a, b, c)
    named = [b, d]
    got = expect_order(t, arrived(t, fetch(t, server, agent.env, key=named)), b, a, c, d)
    t.check([x[2] != "" for x in got] == [True, True, True, False], "from the agent: %r" % got)
    t.check([x[1] != "" for x in got] == [True, False, False, True], "explicit: %r" % got)
    expect_order(t, arrived(t, fetch(t, server, agent.env, key=named, options=["IdentitiesOnly=yes"])), b, d)
    expect_order(t, arrived(t, fetch(t, server, key=named)), b, d)
    for none in ("IdentityAgent=none", "IdentityAgent=" + t.path("nobody")):
        expect_order(t, arrived(t, fetch(t, server, agent.env, key=named, options=[none])), b, d)
    expect_order(t, arrived(t, fetch(t, server, {"OTHER": agent.socket}, key=named, options=["IdentityAgent=$OTHER"])), b, a, c, d)
    expect_order(t, arrived(t, fetch(t, server, key=named, options=["IdentityAgent=~/agent"])), b, a, c, d)
    expect_order(t, arrived(t, fetch(t, server, agent.env, key=named, options=["IdentityAgent=SSH_AUTH_SOCK"])), b, a, c, d)
    t.fails(fetch(t, server, agent.env, options=["PubkeyAuthentication=no"]), "Permission denied (publickey")


@case("auth: ssh and dory scp offer the same keys in the same order")
def same_as_ssh(t):
    keys = [make_key(t, n) for n in "abcde"]
    stranger = make_key(t, "stranger")
    home = t.path("home")
    os.makedirs(home + "/.ssh")
    server = sshd(t, stranger, config=["MaxAuthTries 20"])
    agent = Agent(t, *keys[:3])
    for more in ([], ["-i", keys[1]], ["-i", keys[3]], ["-i", keys[4], "-i", keys[0]], ["-i", keys[2] + ".pub"], ["-o", "IdentitiesOnly=yes", "-i", keys[2]],
                 ["-o", "IdentitiesOnly=yes", "-i", keys[1] + ".pub"], ["-i", keys[0], "-i", keys[0]], ["-o", "IdentityFile=" + keys[3]]):
        argv = ["-v", "-F", "none", "-o", "UserKnownHostsFile=" + server.known, "-o", "BatchMode=yes"] + more
        theirs = t.run(["ssh", "-p", str(server.port)] + argv + ["%s@127.0.0.1" % sandbox.USER], env=dict(agent.env, HOME=home))
        argv[1:3] = []
        ours = t.run([t.lab.dory, "scp", "-P", str(server.port)] + argv + ["%s@127.0.0.1:x" % sandbox.USER, t.path("x")], env=dict(agent.env, HOME=home))
        t.check(offered(ours) == offered(theirs), "with %r ssh offers %r, dory %r" % (more, offered(theirs), offered(ours)))


@case("auth: -i KEY.pub chooses the agent's key; without its agent it is said")
def public_half(t):
    a, b = make_key(t, "a"), make_key(t, "b")
    server = sshd(t, b)
    agent = Agent(t, a, b)
    os.rename(b, t.path("elsewhere"))
    expect_order(t, arrived(t, fetch(t, server, agent.env, key=b + ".pub", options=["IdentitiesOnly=yes"])), b)
    expect_order(t, arrived(t, fetch(t, server, agent.env, key=b + ".pub")), b)
    t.fails(fetch(t, server, key=b + ".pub"), b + ".pub", "public key", "agent")


@case("auth: an encrypted key file whose key the agent holds is not opened")
def encrypted_in_agent(t):
    key = make_key(t, "locked", passphrase="secret")
    server = sshd(t, key)
    plain = t.path("plain")
    files.write(plain, files.read(key), mode=0o600)
    t.ok(t.run(["ssh-keygen", "-q", "-p", "-P", "secret", "-N", "", "-f", plain]))
    agent = Agent(t, plain)
    result = arrived(t, fetch(t, server, agent.env, key=key))
    t.check("passphrase" not in result.text, "it asked: " + result.text)


@case("auth: identity files that are missing: one that was named is warned of, defaults are not")
def missing(t):
    key = make_key(t)
    server = sshd(t, key)
    result = arrived(t, fetch(t, server, key=[t.path("gone"), key]))
    t.says(result, "Warning: Identity file %s not accessible: No such file or directory." % t.path("gone"))
    result = arrived(t, fetch(t, server, options=["IdentityFile=" + t.path("gone"), "IdentityFile=" + key]))
    t.says(result, "no such identity: %s: No such file or directory" % t.path("gone"))
    home = t.path("home")
    os.makedirs(home + "/.ssh")
    os.rename(key, home + "/.ssh/id_ed25519")
    result = arrived(t, fetch(t, server, home=home))
    t.check("accessible" not in result.text and "id_rsa" not in result.text, "it speaks of defaults: " + result.text)


@case("auth: an agent that is empty, locked, refuses, or died")
def poor_agents(t):
    key, other = make_key(t), make_key(t, "other")
    server = sshd(t, key)
    agent = Agent(t, env={"SSH_ASKPASS": "/bin/false", "DISPLAY": None})
    arrived(t, fetch(t, server, agent.env, key=key))                # empty
    agent.add(key, "-c")
    result = t.fails(fetch(t, server, agent.env, key=key), "signing failed", "agent refused operation", "denied")
    files.write(t.path("word"), "#!/bin/sh\necho word\n", mode=0o755)
    lock = dict(agent.env, SSH_ASKPASS=t.path("word"), SSH_ASKPASS_REQUIRE="force")
    t.ok(t.run(["setsid", "ssh-add", "-x"], env=lock))
    result = arrived(t, fetch(t, server, agent.env, key=key))       # locked: the file is used
    t.check("refused" not in result.text, result.text)
    t.ok(t.run(["setsid", "ssh-add", "-X"], env=lock))
    agent.process.kill()
    t.check(os.path.exists(agent.socket), "the dead agent's socket is gone")
    result = arrived(t, fetch(t, server, agent.env, key=key))
    t.check(result.err.count(b"no ssh-agent listens") == 1, result.text)
    t.fails(fetch(t, server, agent.env, key=other), "denied")


class FalseAgent:
    """Answers the n-th message with the n-th of `answers` (bytes, or a function of the question); hangs up behind the last."""

    def __init__(self, t, *answers):
        self.socket, self.asked = t.path("false"), 0
        if os.path.exists(self.socket):
            os.remove(self.socket)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.socket)
        listener.listen(4)
        t.at_end(listener.close)
        self.env = {"SSH_AUTH_SOCK": self.socket}

        def serve():
            try:
                peer = listener.accept()[0]
            except OSError:
                return
            with peer:
                for answer in answers:
                    head = peer.recv(4, socket.MSG_WAITALL)
                    if len(head) < 4:
                        return
                    question = peer.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
                    self.asked += 1
                    peer.sendall(answer(question) if callable(answer) else answer)
        self.thread = threading.Thread(target=serve, daemon=True)
        self.thread.start()


def text(data):
    return len(data).to_bytes(4, "big") + data


def blob_of(t, key):
    import base64
    return base64.b64decode(t.lab.public(key).split()[1])


@case("auth: a hostile agent costs a message, and the next key is tried")
def hostile_agents(t):
    key = make_key(t)
    server = sshd(t, key)
    listing = text(b"\x0c" + (1).to_bytes(4, "big") + text(blob_of(t, key)) + text(b"\x1b[31mred"))
    for what, words, answers in (
            ("a count without keys", "nonsense", [text(b"\x0c\xff\xff\xff\xff")]),
            ("4 GiB", "nonsense", [b"\xff\xff\xff\xff\x0c"]),
            ("another type", "nonsense", [text(b"\x0e\0\0\0\0")]),
            ("a hang-up", "hung up", []),
            ("a failure", "refused operation", [text(b"\x05")]),
            ("a hang-up at the signature", "hung up", [listing]),
            ("nonsense at the signature", "nonsense", [listing, text(b"\x0e\xff\xff\xff\xff")])):
        agent = FalseAgent(t, *answers)
        result = arrived(t, fetch(t, server, agent.env, key=key))
        t.check(words in result.text, "%s: %r was not said in %s" % (what, words, result.text))
    wrong = text(b"\x0e" + text(text(b"ssh-ed25519") + text(bytes(64))))
    result = t.fails(fetch(t, server, FalseAgent(t, listing, wrong).env, key=key), "denied")
    t.check(b"\x1b" not in result.err, "the agent commands the terminal")


@case("auth: an agent that signs RSA with SHA-1 gets no signature through")
def agent_sha1(t):
    key = make_key(t, "rsa", "rsa", ("-b", "2048"))
    server = sshd(t, key)
    listing = text(b"\x0c" + (1).to_bytes(4, "big") + text(blob_of(t, key)) + text(b"old"))
    flags = []

    def sign(question):
        flags.append(question[-4:])
        return text(b"\x0e" + text(text(b"ssh-rsa") + text(bytes(256))))
    result = fetch(t, server, FalseAgent(t, listing, sign).env, options=["IdentitiesOnly=no"])
    t.fails(result, "ssh-rsa instead of rsa-sha2-512", "denied")
    t.check(flags == [b"\0\0\0\4"], "flags were %r" % flags)


@case("auth: PubkeyAcceptedAlgorithms and RSA keys that are too short")
def algorithms(t):
    ed, rsa, short = make_key(t, "ed"), make_key(t, "rsa", "rsa", ("-b", "2048")), make_key(t, "short", "rsa", ("-b", "1024"))
    server = sshd(t, ed, rsa, short, level="DEBUG1")
    agent = Agent(t, ed, rsa, short)
    for options, taken, by in (((), ed, "ssh-ed25519"), (["PubkeyAcceptedAlgorithms=-ssh-ed25519"], rsa, "rsa-sha2-512"),
                               (["PubkeyAcceptedAlgorithms=rsa-sha2-256"], rsa, "rsa-sha2-256"),
                               (["PubkeyAcceptedAlgorithms=^rsa-sha2-256"], ed, "ssh-ed25519")):
        mark = len(server.whole_log())
        expect_order(t, arrived(t, fetch(t, server, agent.env, options=options)), taken)
        t.eventually(lambda: "Accepted publickey" in server.whole_log()[mark:], "the login in the log")
        t.check("publickey test pkalg %s " % by in server.whole_log()[mark:], "%s was not asked for" % by)
    result = t.fails(fetch(t, server, agent.env, options=["PubkeyAcceptedAlgorithms=ecdsa-sha2-nistp256"]), "denied")
    t.check(not offered(result), "offered %r" % offered(result))
    os.remove(agent.socket)
    t.fails(fetch(t, server, Agent(t, short).env), "denied", "no mutual signature algorithm")


# ---- questions: passwords and keyboard-interactive

PAM = ["UsePAM yes", "KbdInteractiveAuthentication yes"]


def at_terminal(t, server, *options, env=None, flags=(), target=None, user=None):
    there = server.folder(t)
    files.write(there + "/x", "content", owner=sandbox.UID)
    argv = [t.lab.dory, "scp", "-P", str(server.port)] + list(flags)
    for option in list(options) + ["UserKnownHostsFile=" + server.known, "StrictHostKeyChecking=yes"]:
        argv += ["-o", option]
    argv += ["%s@%s:%s/x" % (user or sandbox.USER, server.host, t.name), t.path("arrived")]
    return Terminal(t, argv, env=dict(env or {}, HOME=t.path()))


def asking(word):
    return {"SSH_ASKPASS": ask(word), "SSH_ASKPASS_REQUIRE": "force"}


@case("auth: keyboard-interactive with sshd and PAM, at a terminal")
def pam_terminal(t):
    server = t.lab.fresh(t, "sshd", before=PAM)
    terminal = at_terminal(t, server)
    terminal.expect("(marlin@127.0.0.1) Password: ")
    terminal.send(sandbox.PASSWORD + "\r")
    arrived(t, t.hear(terminal.end()))
    t.check(sandbox.PASSWORD.encode() not in terminal.seen, "the password was shown")
    t.eventually(lambda: "Accepted keyboard-interactive" in server.whole_log(), "the login in sshd's log")


@case("auth: keyboard-interactive three times, then passwords three times, as ssh does")
def pam_wrong(t):
    server = t.lab.fresh(t, "sshd", before=PAM + ["MaxAuthTries 20"])
    terminal = at_terminal(t, server, "PubkeyAuthentication=no")
    for prompt in ["(marlin@127.0.0.1) Password: "] * 3 + ["marlin@127.0.0.1's password: "] * 3:
        terminal.expect(prompt)
        terminal.send("wrong\r")
    result = t.fails(t.hear(terminal.end()), "marlin@127.0.0.1: Permission denied (publickey,password,keyboard-interactive).")
    t.check(result.rc == 255, "status %d" % result.rc)
    theirs = t.run(["ssh", "-F", "none", "-p", str(server.port), "-o", "UserKnownHostsFile=" + server.known, "-o", "PubkeyAuthentication=no",
                    "marlin@127.0.0.1"], env=asking("wrong"))
    t.says(theirs, "Permission denied (publickey,password,keyboard-interactive)")
    for word in ("Failed keyboard-interactive", "Failed password"):
        count = server.whole_log().count(word)
        t.check(count == 6, "%s: %d times from both" % (word, count))


@case("auth: NumberOfPasswordPrompts, BatchMode, KbdInteractiveAuthentication and PreferredAuthentications decide what is asked")
def what_is_asked(t):
    server = t.lab.fresh(t, "sshd", before=PAM + ["MaxAuthTries 20"])
    for options, methods in ((["NumberOfPasswordPrompts=1"], ["keyboard-interactive", "password"]),
                             (["NumberOfPasswordPrompts=2", "KbdInteractiveAuthentication=no"], ["password"] * 2),
                             (["NumberOfPasswordPrompts=1", "PreferredAuthentications=password,keyboard-interactive"], ["password", "keyboard-interactive"]),
                             (["NumberOfPasswordPrompts=1", "PreferredAuthentications=hostbased,gssapi-with-mic,password,password"], ["password"]),
                             (["NumberOfPasswordPrompts=1", "PasswordAuthentication=no"], ["keyboard-interactive"]),
                             (["PreferredAuthentications=gssapi-with-mic"], []),
                             (["BatchMode=yes"], [])):
        mark = len(server.whole_log())
        result = fetch(t, server, asking("wrong"), options=options + ["PubkeyAuthentication=no"], batch=False)
        t.fails(result, "Permission denied (")
        t.eventually(lambda: "Connection closed" in server.whole_log()[mark:] or "Disconnected" in server.whole_log()[mark:], "the end in sshd's log")
        got = re.findall(r"Failed (\S+) for marlin", server.whole_log()[mark:])
        t.check([g.split("/")[0] for g in got if g != "none"] == methods, "with %r: %r" % (options, got))


@case("auth: a program in SSH_ASKPASS answers keyboard-interactive")
def interactive_askpass(t):
    server = t.lab.fresh(t, "sshd", before=PAM)
    arrived(t, fetch(t, server, asking(sandbox.PASSWORD), options=["PreferredAuthentications=keyboard-interactive"], batch=False))
    result = fetch(t, server, {"SSH_ASKPASS_REQUIRE": "never"}, options=["PubkeyAuthentication=no"], batch=False)
    t.fails(result, "no terminal", "denied")
    t.check(result.text.count("no terminal") == 1, result.text)


@case("auth: several rounds of questions, none, with and without echo (paramiko)")
def rounds(t):
    server = ParamikoServer(t, rounds=[
        ("First", "Two questions\nare to come", [("Token: ", True), ("PIN: ", False)], ["12 34", "5678"]),
        ("", "", [], []),
        ("", "", [("Line one\nline two: ", False)], [""]),
    ])
    terminal = at_terminal(t, server)
    terminal.expect("First")
    terminal.expect(re.compile(rb"Two questions\r*\nare to come"))
    terminal.expect("(marlin@127.0.0.1) Token: ")
    terminal.send("12 34\r")
    terminal.expect("12 34")        # the terminal shows it
    terminal.expect("(marlin@127.0.0.1) PIN: ")
    terminal.send("5678\r")
    terminal.expect(re.compile(rb"\(marlin@127.0.0.1\) Line one\r*\nline two: "))
    terminal.send("\r")
    arrived(t, t.hear(terminal.end()))
    t.check(b"5678" not in terminal.seen, "the PIN was shown")
    t.check(server.script.answers == [["12 34", "5678"], [], [""]], "answers were %r" % server.script.answers)


@case("auth: questions cannot command the terminal")
def evil_prompts(t):
    server = ParamikoServer(t, rounds=[("\x1b[2Jname", "in\x07str\x9bmuction", [("\x1b]0;title\x07Word\u202e: ", False)], ["word"])])
    terminal = at_terminal(t, server)
    terminal.expect("Word")
    terminal.send("word\r")
    arrived(t, t.hear(terminal.end()))
    for bad in (b"\x1b", b"\x07", "\u202e".encode(), "\x9b".encode()):
        t.check(bad not in terminal.seen, "%r reached the terminal: %r" % (bad, terminal.seen))
    t.check(b"name" in terminal.seen and b"uction" in terminal.seen, "name and instruction are missing: %r" % terminal.seen)


@case("auth: questions without an end")
def endless(t):
    server = ParamikoServer(t, rounds=[("", "", [], [])] * 1000)
    result = fetch(t, server, options=["NumberOfPasswordPrompts=2"], batch=False)
    t.fails(result, "does not stop", "denied")
    t.check(len(server.script.answers) == 64, "%d answers" % len(server.script.answers))


@case("auth: a server that says keyboard-interactive and has no question is tried once")
def no_question(t):
    server = ParamikoServer(t, rounds=[])
    t.fails(fetch(t, server, asking("x"), batch=False), "Permission denied (keyboard-interactive)")
    t.check(server.script.attempts.count("keyboard-interactive") == 1, "attempts: %r" % server.script.attempts)


@case("auth: a demand to change the password is refused in clear words, and no password is asked for again")
def change_password(t):
    def demand(transport):
        message = paramiko.Message()
        message.add_byte(bytes([60]))       # SSH_MSG_USERAUTH_PASSWD_CHANGEREQ
        message.add_string("Your \x1b[31mpassword has expired")
        message.add_string("")
        transport._send_message(message)
        transport.auth_handler._send_auth_result = lambda *a: None      # that was the answer
        return paramiko.AUTH_FAILED
    server = ParamikoServer(t, methods="password", password=demand)
    result = t.fails(fetch(t, server, asking("old"), batch=False), "password has expired", "log in with ssh", "denied (password)")
    t.check(b"\x1b" not in result.err, "the text came raw")
    t.check(server.script.attempts.count("password") == 1, "attempts: %r" % server.script.attempts)


# ---- several methods in a row

@case("auth: AuthenticationMethods of sshd: every order of two, and three")
def methods_in_a_row(t):
    a, b = make_key(t, "a"), make_key(t, "b")
    for methods, keys in (("publickey,password", [a]), ("publickey,keyboard-interactive", [a]), ("password,publickey", [a]),
                          ("keyboard-interactive,publickey", [a]), ("publickey,publickey", [a, b]), ("publickey,publickey,password", [b, a]),
                          ("password,keyboard-interactive", [])):
        server = sshd(t, a, b, before=PAM + ["AuthenticationMethods " + methods])
        options = [] if keys else ["PubkeyAuthentication=no"]
        result = fetch(t, server, asking(sandbox.PASSWORD), key=keys, options=options, batch=False)
        t.check(result.rc == 0, "%s: %s" % (methods, result.text[-500:]))
        arrived(t, result)
        t.check(result.text.count("with partial success") == methods.count(","), "%s: %s" % (methods, result.text))
        server.stop()


@case("auth: half of what the server wants is not enough")
def half(t):
    a = make_key(t, "a")
    server = sshd(t, a, before=["AuthenticationMethods publickey,publickey"])
    result = t.fails(fetch(t, server, key=a), "partial success", "Permission denied (publickey)")
    t.check(len(offered(result)) == 1, "the key was offered %d times" % len(offered(result)))
    server = sshd(t, a, before=PAM + ["AuthenticationMethods publickey,password"])
    t.fails(fetch(t, server, key=a), "partial success", "Permission denied (password)")
    t.fails(fetch(t, server, asking("wrong"), key=a, batch=False), "please try again", "Permission denied (password)")


@case("auth: a server that is content in part for ever")
def partial_for_ever(t):
    server = ParamikoServer(t, methods="password", password=lambda transport: paramiko.AUTH_PARTIALLY_SUCCESSFUL)
    t.fails(fetch(t, server, asking("x"), options=["NumberOfPasswordPrompts=100"], batch=False), "denied")
    t.check(2 <= server.script.attempts.count("password") <= 10, "%d passwords went out" % server.script.attempts.count("password"))


@case("auth: sshd's MaxAuthTries ends it in its words, with scp's exit status")
def max_auth_tries(t):
    keys = [make_key(t, "k%d" % i) for i in range(8)]
    server = sshd(t, t.lab.key, config=["MaxAuthTries 3"])
    agent = Agent(t, *keys)
    result = t.fails(fetch(t, server, agent.env), "Received disconnect from 127.0.0.1 port %d:2: Too many authentication failures" % server.port)
    t.check(2 <= len(offered(result)) <= 3, "%d keys were offered" % len(offered(result)))
    for flags in ([], ["-O"]):
        theirs = t.run(["scp", "-F", "none", "-P", str(server.port)] + flags + ["-o", "BatchMode=yes", "-o", "UserKnownHostsFile=" + server.known,
                                                                                "marlin@127.0.0.1:x", t.path("x")], env=agent.env)
        ours = fetch(t, server, agent.env, flags=flags)
        t.check(ours.rc == theirs.rc, "status %d, scp's %d" % (ours.rc, theirs.rc))


# ---- dory serve asks

def log_lines(t, server, *words):
    return t.eventually(lambda: [x for x in server.whole_log().splitlines() if all(w in x for w in words)], "%r in the server's log" % (words,))


@case("auth: keyboard-interactive at dory serve, asked by scp, sftp's ssh, dbclient, paramiko and dory")
def serve_asks(t):
    server = t.lab.fresh(t, "serve", options=["-v"])
    there = server.folder(t)
    source = files.write(t.path("source"), "content")
    only = ["PreferredAuthentications=keyboard-interactive"]
    for client, how in ((OPENSSH, {"options": only}), (DBCLIENT, {}), (NEW_DBCLIENT, {}), (PARAMIKO, {"options": ["interactive"]}), (DORY, {"options": only})):
        mark = len(server.whole_log())
        t.ok(client.copy(t, server, source, R("%s/%s" % (t.name, client.name)), password=sandbox.PASSWORD, **how))
        files.same(os.path.join(there, client.name), source)
        t.eventually(lambda: "keyboard-interactive: accepted" in server.whole_log()[mark:] or
                     (not how and "password: accepted" in server.whole_log()[mark:]), "%s's login in the log" % client.name)


@case("auth: keyboard-interactive at dory serve with stock ssh at a terminal")
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


# ---- key files

@case("auth: key files of every type, named and as defaults")
def key_files(t):
    home = t.path("home")
    os.makedirs(home + "/.ssh")
    keys = [make_key(t, "home/.ssh/id_" + kind, kind, flags) for kind, flags in (("rsa", ("-b", "2048")), ("ecdsa", ("-b", "256")), ("ed25519", ()))]
    for key in keys:
        server = sshd(t, key)
        expect_order(t, arrived(t, fetch(t, server, key=key)), key)
        expect_order(t, arrived(t, fetch(t, server, home=home)), *keys[:keys.index(key) + 1])
        server.stop()


@case("auth: a passphrase is asked for once the server takes the key, and for no other")
def passphrases(t):
    a, b = make_key(t, "a", "rsa", ("-b", "2048")), make_key(t, "b", "ecdsa", ("-b", "256"))
    server = sshd(t, b)
    for key in (a, b):
        t.ok(t.run(["ssh-keygen", "-q", "-p", "-m", "PEM", "-P", "", "-N", "secret", "-f", key]))
        t.check(b"ENCRYPTED" in files.read(key), "%s is not encrypted" % key)
    server.folder(t)
    terminal = at_terminal(t, server, "IdentityFile=" + a, "IdentityFile=" + b)
    for word in ("wrong", "secret"):
        terminal.expect("Enter passphrase for key '%s': " % b)
        terminal.send(word + "\r")
    arrived(t, t.hear(terminal.end()))
    t.check(a.encode() not in terminal.seen, "it asked for the other key: %r" % terminal.seen)
    t.fails(fetch(t, server, key=b), b, "protected by a passphrase", "denied")
    arrived(t, fetch(t, server, asking("secret"), key=b, batch=False))


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


@case("auth: command= in authorized_keys: a forced upload goes where the line says, as with sshd")
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


@case("auth: command= in authorized_keys: a forced download")
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


@case("auth: command= holds for its key alone, not for a password or another key")
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


@case("auth: what authorized_keys cannot honour is refused, and the log says line and reason")
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


@case("auth: authorized_keys that others can replace")
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


@case("auth: command=\"internal-sftp\" in authorized_keys: no other subsystem and no command, as with sshd")
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
