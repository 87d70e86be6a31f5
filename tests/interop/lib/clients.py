"""The clients: OpenSSH's scp, Dropbear's dbclient under scp, paramiko, and `dory scp`.

Each has copy(test, server, sources, target, flags, ...), where a remote path is R("path"), and the same keywords:
key (a private key; None: none), password (given where the client reads it), port (of a proxy instead of the server), known (a known_hosts
file), options (a list of -o options), user (the local user: None is root), login (the remote user), start (True: do not wait).
"""
import os
import sys

from . import sandbox
from .servers import USER
from .terminal import Terminal


class R:
    """A path at the server."""

    def __init__(self, path=""):
        self.path = os.fsencode(path)


class Client:
    name = None

    def copy(self, test, server, sources, target, flags=(), start=False, user=None, cwd=None, **how):
        sources = sources if isinstance(sources, (list, tuple)) else [sources]
        argv, env = self.command(test, server, sources, target, list(flags), **how)
        if start:
            return test.start(argv, env=env, user=user, cwd=cwd)
        return test.run(argv, env=env, user=user, cwd=cwd)

    def words(self, server, paths, login):
        """user@host:path where the path is remote."""
        for path in paths:
            if isinstance(path, R):
                yield os.fsencode("%s@%s:" % (login, "[%s]" % server.host if ":" in server.host else server.host)) + path.path
            else:
                yield path


class OpenSSH(Client):
    name = "openssh"
    program = ["/usr/bin/scp", "-O"]

    def command(self, test, server, sources, target, flags, key="", password=None, port=None, known=None, options=(), login=USER):
        argv = self.program + ["-F", "none", "-P", str(port or server.port)] + flags
        env = {}
        wanted = ["UserKnownHostsFile=%s" % (known or known_for(server, port)), "GlobalKnownHostsFile=/dev/null", "StrictHostKeyChecking=yes",
                  "IdentityAgent=none", "IdentitiesOnly=yes"]
        if password is None:
            argv += ["-i", key or test.lab.key]
            wanted += ["BatchMode=yes"]
        else:
            env = {"SSH_ASKPASS": ask(password), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":none"}
            wanted += ["PubkeyAuthentication=no", "NumberOfPasswordPrompts=1"]
        for option in list(options) + wanted:       # ssh takes the first value of each
            argv += ["-o", option]
        return argv + list(self.words(server, sources + [target], login)), env


class OpenSSHBySftp(OpenSSH):
    """scp in its SFTP mode, which is the default of OpenSSH 9 and later."""
    program = ["/usr/bin/scp"]


class SSH(OpenSSH):
    """ssh itself, for commands by hand: run(test, server, command)."""
    name = "ssh"
    program = ["/usr/bin/ssh"]

    def run(self, test, server, command, flags=(), stdin=b"", **how):
        argv, env = self.command(test, server, [], None, list(flags), **how)
        argv = ["-p" if word == "-P" else word for word in argv[:-1]]
        return test.run(argv + ["%s@%s" % (USER, server.host)] + list(command), env=env, stdin=stdin)


class Dbclient(Client):
    """OpenSSH's scp over Dropbear's client; Debian's dropbear package has no scp of its own."""
    name = "dbclient"
    program = "/usr/bin/dbclient"

    def command(self, test, server, sources, target, flags, key="", password=None, port=None, known=None, options=(), login=USER):
        home = test.path("dbhome")
        os.makedirs(home + "/.ssh", exist_ok=True)
        with open(known or known_for(server, port)) as f, open(home + "/.ssh/known_hosts", "w") as g:
            for line in f:                                      # Dropbear writes and reads the host without its port
                g.write("%s %s\n" % (server.host, line.split(" ", 1)[1].strip()))
        env = {"HOME": home, "DBCLIENT_KEY": None, "DROPBEAR_PASSWORD": "no password"}     # without any it would ask standard input
        if password is None:
            env["DBCLIENT_KEY"] = test.lab.dropbear_key(key or test.lab.key)
        else:
            env["DROPBEAR_PASSWORD"] = password
        env["DBCLIENT"], env["DBCLIENT_CIPHER"] = self.program, "".join(options) or None     # of options it knows one: a cipher
        argv = ["/usr/bin/scp", "-O", "-S", wrapper(), "-P", str(port or server.port)] + flags
        return argv + list(self.words(server, sources + [target], login)), env


class NewDbclient(Dbclient):
    name = "newdbclient"
    program = os.path.join(sandbox.NEW_DROPBEAR, "dbclient")


class Paramiko(Client):
    name = "paramiko"

    def command(self, test, server, sources, target, flags, key="", password=None, port=None, known=None, options=(), login=USER):
        argv = [sys.executable, os.path.join(os.path.dirname(__file__), "paramiko_scp.py"), "--host", server.host,
                "--port", str(port or server.port), "--user", login, "--known", known or known_for(server, port)] + flags
        env = {"PARAMIKO_PASSWORD": password}
        if password is None:
            argv += ["--key", key or test.lab.key]
        for option in options:
            argv += ["--" + option]
        argv += ["up" if isinstance(target, R) else "down"]
        return argv + [p.path if isinstance(p, R) else p for p in sources + [target]], env


class Dory(Client):
    name = "dory"

    def command(self, test, server, sources, target, flags, key="", password=None, port=None, known=None, options=(), login=USER):
        argv = [test.lab.dory, "scp", "-F", "none", "-P", str(port or server.port)] + flags
        wanted = ["UserKnownHostsFile=%s" % (known or known_for(server, port)), "StrictHostKeyChecking=yes"]
        if password is None:
            argv += ["-i", key or test.lab.key]
            wanted += ["BatchMode=yes"]
        else:
            wanted += ["PubkeyAuthentication=no"]
        for option in list(options) + wanted:
            argv += ["-o", option]
        return argv + list(self.words(server, sources + [target], login)), {}

    def copy(self, test, server, sources, target, flags=(), start=False, user=None, cwd=None, password=None, **how):
        """A password is typed at a terminal, the only place where it is read."""
        if password is None:
            return super().copy(test, server, sources, target, flags, start, user, cwd, **how)
        sources = sources if isinstance(sources, (list, tuple)) else [sources]
        argv, env = self.command(test, server, sources, target, list(flags), password=password, **how)
        terminal = Terminal(test, argv, env=env, user=user, cwd=cwd)
        while terminal.expect("assword:", or_end=True):
            terminal.send(password + "\r")
        return test.hear(terminal.end())


def known_for(server, port):
    """The server's known_hosts file, under a proxy's port too."""
    if not port or port == server.port:
        return server.known
    path = "%s.%d" % (server.known, port)
    with open(server.known) as f, open(path, "w") as g:
        g.write(f.read().replace("]:%d " % server.port, "]:%d " % port))
    os.chmod(path, 0o644)
    return path


def script(name, text):
    path = os.path.join(sandbox.BASE, "bin", name)
    if not os.path.exists(path):
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o755)
    return path


def ask(password):
    """A program that answers a question with the password."""
    name = "answer.%d" % (hash(password) % (1 << 32))
    return script(name, "#!/bin/sh\ncat <<'END'\n%s\nEND\n" % password)


def wrapper():
    """What scp -S starts: it hands dbclient those options of ssh that it knows."""
    return script("dbclient-as-ssh", """#!/bin/sh
set -eu
port= login=
while [ $# -gt 0 ]; do
    case $1 in
    -x | -4 | -6 | -q | -v | -o?*) ;;
    -o) shift ;;
    -p) port=$2; shift ;;
    -l) login=$2; shift ;;
    --) shift; break ;;
    *) echo "what is $1?" >&2; exit 2 ;;
    esac
    shift
done
host=$1 command=$2
set -- -p "$port" -l "$login"
if [ -n "${DBCLIENT_KEY:-}" ]; then set -- "$@" -i "$DBCLIENT_KEY"; fi
if [ -n "${DBCLIENT_CIPHER:-}" ]; then set -- "$@" -c "$DBCLIENT_CIPHER"; fi
exec "$DBCLIENT" "$@" "$host" "$command"
""")


OPENSSH, OPENSSH_SFTP, SSH_ = OpenSSH(), OpenSSHBySftp(), SSH()
DBCLIENT, NEW_DBCLIENT, PARAMIKO, DORY = Dbclient(), NewDbclient(), Paramiko(), Dory()
