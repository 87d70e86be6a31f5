"""A machine as its owner has it: started, its host key known, a key to log in. A server to lib/clients.py."""
import os
import re

from lib import files
from lib.clients import OPENSSH, R
from lib.proc import Failure, Result
import machine

LOGIN = "user"


class Device:
    host = "127.0.0.1"

    def __init__(self, test, entry, folder=None, wire=None, **how):
        self.test, self.entry, self.wire, self.how = test, entry, wire, how
        self.folder = folder or test.dir
        self.known = os.path.join(self.folder, "known_hosts")
        self.machine = None
        self.port = None
        if wire:
            self.port, self.how["network"] = wire.port, wire.network
        test.at_end(self.finish)
        self.power_on()
        self.learn()
        test.ok(OPENSSH.copy(test, self, test.lab.key + ".pub", R("authorized_keys"), password=self.password, login=LOGIN))

    # ---- power

    def power_on(self):
        name, board, words = self.entry
        self.machine = machine.Machine(name, board, words, self.folder, port=self.port, **self.how)
        self.port = self.machine.port
        self.started()

    def started(self):
        """Waits for the lines of a start, after power-on or a reset."""
        self.fingerprint = self.machine.expect(r"^host key (SHA256:\S+)").group(1).decode()
        said = self.machine.expect(r"(lets in user: (\S+)|^Listening on)")
        if said.group(2):
            self.password = said.group(2).decode()
            self.machine.expect(r"^Listening on")
        if self.wire:
            self.wire.plugged()

    def power_off(self):
        self.machine.stop()

    def finish(self):
        """Whatever the case was: the machine is still at it, and what it said is kept."""
        alive = self.machine.process.poll()
        self.machine.stop()
        self.test.heard.append(Result(["UART of " + self.machine.name], alive, self.machine.said, b""))

    # ---- keys

    def learn(self):
        """Takes the host key that is offered, if it is the one whose fingerprint the UART shows."""
        result = self.test.ok(self.test.run(["ssh-keyscan", "-t", "ed25519", "-p", str(self.port), self.host]))
        files.write(self.known, result.out)
        shown = self.test.ok(self.test.run(["ssh-keygen", "-lf", self.known])).text
        self.test.check(self.fingerprint in shown, "the UART shows %s, and the key is %s" % (self.fingerprint, shown))

    # ---- use

    def push(self, client, source, name, **how):
        return client.copy(self.test, self, source, R(name), login=LOGIN, **how)

    def pull(self, client, name, target, **how):
        return client.copy(self.test, self, R(name), target, login=LOGIN, **how)

    def options(self, key="", port=None):
        return ["-F", "none", "-i", key or self.test.lab.key, "-o", "UserKnownHostsFile=%s" % self.known, "-o", "Port=%d" % (port or self.port),
                "-o", "HostKeyAlias=[%s]:%d" % (self.host, self.port),
                "-o", "GlobalKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes", "-o", "IdentityAgent=none", "-o", "IdentitiesOnly=yes",
                "-o", "BatchMode=yes"]

    def ssh(self, *command, key="", start=False, login=LOGIN):
        argv = ["ssh"] + self.options(key) + ["%s@%s" % (login, self.host)] + list(command)
        return self.test.start(argv) if start else self.test.run(argv)

    def sftp(self, *batch):
        """OpenSSH's sftp with a batch of commands."""
        lines = files.write(self.test.path("batch"), "\n".join(batch) + "\n")
        return self.test.run(["sftp"] + self.options() + ["-b", lines, "%s@%s" % (LOGIN, self.host)])

    def console(self, line):
        """Types a command; what it says."""
        mark = self.machine.seen = len(self.machine.said)
        self.machine.type(line + "\r")
        self.machine.expect_prompt(mark, line)
        return self.machine.said[mark:].decode()

    def slot(self, name):
        """(state, bytes, SHA-256) of a slot, as `slots` lists it."""
        text = self.test.ok(self.ssh("slots")).text
        found = re.search(r"^%s +(\S+) +(\d+) of (\d+)(?: +([0-9a-f]+))?" % re.escape(name), text, re.M)
        if not found:
            raise Failure("`slots` does not list %s: %s" % (name, text))
        return found.group(1), int(found.group(2)), int(found.group(3)), found.group(4)

    def marks(self):
        """Pools of the network's memory when nobody is connected: {name: (used now, used most, size)}."""
        text = self.console("pools")
        found = {m.group(1): tuple(int(n) for n in m.group(2, 3, 4))
                 for m in re.finditer(r"^(\S+) +(\d+) now, (\d+) most, of (\d+)", text, re.M)}
        if not found:
            raise Failure("`pools` says: %s" % text)
        return found
