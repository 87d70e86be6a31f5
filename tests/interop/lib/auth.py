"""What the cases about logins share: keys, agents, `dory scp` with them."""
import os
import re
import socket
import threading

from . import files, sandbox
from .clients import ask
from .terminal import Terminal

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


def fetch(t, server, env=None, flags=(), options=(), key=None, home=None, batch=True, verbose=True):
    """`dory scp` of a file from the server; the identities are what flags and options say."""
    there = server.folder(t)
    files.write(there + "/x", "content", owner=sandbox.UID)
    argv = [t.lab.dory, "scp", "-P", str(server.port)] + ["-v"] * verbose + list(flags)
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


def log_lines(t, server, *words):
    return t.eventually(lambda: [x for x in server.whole_log().splitlines() if all(w in x for w in words)], "%r in the server's log" % (words,))
