"""What the cases share: throw-away keys, and one server of each kind that runs until it is needed otherwise."""
import os
import shutil

from . import files, sandbox, servers
from .case import CRASH
from .proc import Failure, run


class Lab:
    def __init__(self, dory):
        self.dory = sandbox.install(dory, "dory")
        self.keys = os.path.join(sandbox.BASE, "keys")
        self.shared = {}
        self.others = []
        self.marks = {}
        os.mkdir(self.keys)
        os.mkdir(os.path.join(sandbox.BASE, "work"))
        self.key = self.make_key("user")
        self.wrong_key = self.make_key("stranger")
        self.marlin_key = self.make_key("marlin", owner=True)
        self.authorized = os.path.join(self.keys, "authorized_keys")
        with open(self.authorized, "w") as f:
            f.write("# who may come in\n%s\n%s\n" % (self.public(self.key), self.public(self.marlin_key)))
        os.chmod(self.authorized, 0o644)
        ssh = os.path.join(sandbox.home(), ".ssh")      # Dropbear looks nowhere else
        os.mkdir(ssh, 0o700)
        shutil.copy(self.authorized, ssh)
        for path in (ssh, ssh + "/authorized_keys"):
            os.chown(path, sandbox.UID, sandbox.UID)

    # ---- keys

    def make_key(self, name, owner=False):
        """An ed25519 key pair of OpenSSH's making; `owner`: it belongs to the test user."""
        path = os.path.join(self.keys, name)
        result = run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "%s of the tests" % name, "-f", path])
        if result.rc != 0:
            raise Failure("ssh-keygen: %s" % result)
        if owner:
            os.chown(path, sandbox.UID, sandbox.UID)
        return path

    def public(self, key):
        with open(key + ".pub") as f:
            return f.read().strip()

    def dropbear_key(self, key):
        """The same key in Dropbear's own format."""
        path = key + ".dropbear"
        if not os.path.exists(path):
            result = run(["dropbearconvert", "openssh", "dropbear", key, path])
            if result.rc != 0:
                raise Failure("dropbearconvert: %s" % result)
            os.chmod(path, 0o600)
        return path

    # ---- servers

    def server(self, kind):
        """The shared server of a kind: "sshd", "dropbear", "serve", "remote" (sshd whose scp is Dory)."""
        if kind not in self.shared:
            self.shared[kind] = servers.make(self, kind)
        return self.shared[kind]

    def fresh(self, test, kind, **how):
        """A server for one case, which ends with it."""
        server = servers.make(self, kind, name="%s-%s-%d" % (kind, test.name, len(self.others)), **how)
        self.others.append(server)
        test.at_end(server.stop)
        return server

    # ---- around each case

    def begin(self):
        self.others = []
        self.marks = {s: s.log_size() for s in self.shared.values()}

    def check(self):
        """A shared server that died during a case has failed it, whatever else was seen."""
        for name, log in self.said():
            if CRASH.search(log.encode()):
                raise Failure("a sanitizer has reported on %s" % name)
        for kind, server in list(self.shared.items()):
            if not server.alive():
                del self.shared[kind]
                raise Failure("%s ended during the case, status %s" % (server.name, server.process.popen.returncode))

    def said(self):
        for server in list(self.shared.values()) + self.others:
            yield server.name, server.log_since(self.marks.get(server, 0))

    def close(self):
        for server in self.shared.values():
            server.stop()

    def big(self):
        """200 MiB, made once."""
        return files.big(os.path.join(sandbox.BASE, "big"), 200 << 20)
