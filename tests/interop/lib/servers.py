"""The servers: OpenSSH's sshd, Dropbear's, and `dory serve`, each on a port of 127.0.0.1."""
import os
import random
import shutil
import signal
import socket

from . import sandbox
from .proc import Failure, Process, eventually, run

HOST = "127.0.0.1"
USER = sandbox.USER


def make(lab, kind, **how):
    return {"sshd": Sshd, "dropbear": Dropbear, "newdropbear": NewDropbear, "serve": Serve, "remote": Remote, "sftp-server": SftpServer,
            "internal-sftp": InternalSftp, "paramiko": ParamikoSftp}[kind](lab, **how)


def free_port(host=HOST):
    """One below the range that the kernel gives to outgoing connections."""
    while True:
        port = random.randint(20000, 32000)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as s:
            try:
                s.bind((host, port))
                return port
            except OSError:
                continue


def sockets(port, state, which="local"):
    """How many TCP sockets have that port and state ("0A" listening, "01" established)."""
    count = 0
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not os.path.exists(table):
            continue
        with open(table) as f:
            for line in list(f)[1:]:
                fields = line.split()
                address = fields[1 if which == "local" else 2]
                count += int(address.rsplit(":", 1)[1], 16) == port and fields[3] == state
    return count


class Server:
    kind = None
    multiplexes = False

    def __init__(self, lab, name=None, root=None, port=None, host=HOST, host_key=None, **how):
        self.lab, self.name, self.host, self.how = lab, name or self.kind, host, how
        self.port = port or free_port(host)
        self.root = root or self.default_root()
        self.log = os.path.join(sandbox.BASE, "log." + self.name)
        self.host_key = host_key or self.make_host_key()
        self.known = os.path.join(lab.keys, "known." + self.name)
        self.write_known(self.known, self.host_key)
        self.process = None
        self.start()

    # ---- life

    def start(self):
        self.process = Process(self.argv(), err=self.log, out=self.log + ".out", env=self.env(), **self.identity())
        eventually(lambda: not self.alive() or sockets(self.port, "0A"), "%s listens" % self.name)
        if not self.alive():
            raise Failure("%s did not start: %s" % (self.name, self.log_since(0).strip()[-500:]))

    def alive(self):
        return self.process.alive()

    def stop(self):
        """In order; whatever is left of its process group is killed then."""
        self.process.signal(signal.SIGTERM)
        try:
            self.process.popen.wait(10)
        except Exception:
            pass
        self.process.kill()

    def env(self):
        return {}

    def identity(self):
        return {}

    # ---- places

    def default_root(self):
        return sandbox.home()

    def folder(self, test, mode=0o755):
        """A folder for the case where this server's relative paths begin; the server's user owns it."""
        path = os.path.join(self.root, test.name)
        if not os.path.isdir(path):
            os.mkdir(path)
            os.chmod(path, mode)
            os.chown(path, sandbox.UID, sandbox.UID)
            test.at_end(lambda: shutil.rmtree(path, ignore_errors=True))
        return path

    # ---- keys

    def make_host_key(self):
        path = os.path.join(self.lab.keys, "host." + self.name)
        return path if os.path.exists(path) else self.lab.make_key("host." + self.name)

    def write_known(self, path, key):
        kind, blob = self.lab.public(key).split()[:2]
        with open(path, "w") as f:
            f.write("[%s]:%d %s %s\n" % (self.host, self.port, kind, blob))
        os.chmod(path, 0o644)
        return path

    # ---- what it said

    def log_size(self):
        return sum(os.path.getsize(p) for p in (self.log, self.log + ".out") if os.path.exists(p))

    def log_since(self, mark):
        text = ""
        for path in (self.log, self.log + ".out"):
            if os.path.exists(path):
                with open(path, errors="backslashreplace") as f:
                    text += f.read()
        return text[max(0, len(text) - 20000) if mark == 0 else min(mark, len(text)):]

    def whole_log(self):
        text = ""
        for path in (self.log, self.log + ".out"):
            with open(path, errors="backslashreplace") as f:
                text += f.read()
        return text


class Sshd(Server):
    """how: config (more lines of sshd_config), before (lines that win over all others), level (of its log), authorized (an authorized_keys file),
    password (False: it takes none)."""
    kind = "sshd"

    def argv(self):
        config = os.path.join(sandbox.BASE, "etc", "config." + self.name)
        lines = list(self.how.get("before", ())) + [
            "Port %d" % self.port, "ListenAddress %s" % self.host, "HostKey %s" % self.host_key, "PidFile none", "UsePAM no",
            "AuthorizedKeysFile %s" % (self.how.get("authorized") or self.lab.authorized),
            "PasswordAuthentication %s" % ("yes" if self.how.get("password", True) else "no"), "KbdInteractiveAuthentication no", "UseDNS no",
            "PrintMotd no", "PrintLastLog no", "MaxStartups 100", "MaxSessions 64", "LogLevel %s" % self.how.get("level", "VERBOSE"),
        ] + list(self.how.get("config", ()))
        with open(config, "w") as f:
            f.write("\n".join(lines) + "\n")
        return ["/usr/sbin/sshd", "-D", "-e", "-f", config]


class SftpServer(Sshd):
    """sshd with OpenSSH's SFTP server as a program of its own."""
    kind = "sftp-server"
    subsystem = "/usr/lib/openssh/sftp-server"

    def argv(self):
        self.how["config"] = ["Subsystem sftp %s" % self.subsystem] + list(self.how.get("config", ()))
        return super().argv()


class InternalSftp(SftpServer):
    kind = "internal-sftp"
    subsystem = "internal-sftp"


class Remote(Sshd):
    """sshd that finds Dory under the name scp."""
    kind = "remote"

    def argv(self):
        folder = os.path.join(sandbox.BASE, "path-with-dory")
        if not os.path.isdir(folder):
            os.mkdir(folder)
            os.symlink(self.lab.dory, os.path.join(folder, "scp"))
        self.how["config"] = ["SetEnv PATH=%s:/usr/bin:/bin" % folder] + list(self.how.get("config", ()))
        return super().argv()


class Dropbear(Server):
    kind = "dropbear"
    program = "/usr/sbin/dropbear"

    def argv(self):
        return [self.program, "-F", "-E", "-m", "-P", os.path.join(sandbox.BASE, "tmp", "pid." + self.name),
                "-p", "%s:%d" % (self.host, self.port), "-r", self.lab.dropbear_key(self.host_key)]


class NewDropbear(Dropbear):
    kind = "newdropbear"
    program = os.path.join(sandbox.NEW_DROPBEAR, "dropbear")


class Serve(Server):
    """`dory serve`, run by the test user. how: options (more of the command line), authorized, password_file, user (None: root)."""
    kind = "serve"

    def default_root(self):
        path = os.path.join(sandbox.BASE, "served")
        if not os.path.isdir(path):
            os.mkdir(path, 0o755)
            os.chown(path, sandbox.UID, sandbox.UID)
        return path

    def argv(self):
        os.chown(self.host_key, sandbox.UID, sandbox.UID)
        for extra in self.how.get("options", ()):
            if extra.startswith(self.lab.keys) or extra.startswith(os.path.join(sandbox.BASE, "work")):
                os.chown(extra, sandbox.UID, sandbox.UID)       # more host keys
        argv = [self.lab.dory, "serve", "--listen", ("[%s]:%d" if ":" in self.host else "%s:%d") % (self.host, self.port),
                "--root", self.root, "--host-key", self.host_key, "--user", USER]
        if self.how.get("authorized", True):
            argv += ["--authorized-keys", self.how.get("authorized") or self.lab.authorized]
        if self.how.get("passwords", True):
            argv += ["--password-file", self.password_file()]
        return argv + list(self.how.get("options", ()))

    def identity(self):
        return {"user": self.how.get("user", USER)}

    def password_file(self):
        path = os.path.join(self.lab.keys, "passwords")
        if not os.path.exists(path):
            result = run([self.lab.dory, "serve", "--hash-password"], stdin=sandbox.PASSWORD.encode() + b"\n")
            if result.rc != 0:
                raise Failure("dory serve --hash-password: %s" % result.text.strip())
            with open(path, "wb") as f:
                f.write(b"%s:%s" % (USER.encode(), result.out))
            os.chown(path, sandbox.UID, sandbox.UID)
            os.chmod(path, 0o600)
        return path


class ParamikoSftp(Server):
    """paramiko's SFTP server: nothing else is to be had there."""
    kind = "paramiko"

    def argv(self):
        os.chown(self.host_key, sandbox.UID, sandbox.UID)
        script = sandbox.install(os.path.join(os.path.dirname(os.path.abspath(__file__)), "paramiko_sftpd.py"), "paramiko_sftpd.py")
        return ["/usr/bin/python3", script, str(self.port), self.root, self.host_key, self.lab.authorized]

    def identity(self):
        return {"user": USER}
