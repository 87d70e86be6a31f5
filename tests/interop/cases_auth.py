"""Who may come in: ssh-agent, the order of keys, several methods in a row, questions of the server, authorized_keys."""
import os
import re
import socket
import threading

from lib import files, sandbox
from lib.case import add, case
from lib.clients import DORY, R
from lib.proc import Failure

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
