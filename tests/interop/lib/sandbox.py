"""A world of our own: mount and process namespaces that end with the test run.

Inside, /run is an empty tmpfs that holds everything the tests make, /var/log is empty, and /etc/passwd, /etc/shadow and /etc/group are private
copies: root's home is a folder below /run, and one more user exists, who can log in by password. Every process started inside dies with the
run, every mount goes with it, and the machine outside sees none of it, even after SIGKILL.
"""
import ctypes
import os
import shutil
import signal
import sys

BASE = "/run/dory-interop"
USER = "marlin"
UID = 64123
PASSWORD = "correct horse' \"battery$staple"

CLONE_NEWNS, CLONE_NEWPID = 0x00020000, 0x20000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG = 1

PROGRAMS = {
    "/usr/bin/scp": "openssh-client", "/usr/bin/ssh": "openssh-client", "/usr/bin/ssh-keygen": "openssh-client",
    "/usr/sbin/sshd": "openssh-server", "/usr/sbin/dropbear": "dropbear-bin", "/usr/bin/dbclient": "dropbear-bin",
    "/usr/bin/dropbearconvert": "dropbear-bin", "/usr/bin/sftp": "openssh-client", "/usr/bin/lftp": "lftp",
}

# Debian 12's does not know ML-KEM; `make dropbear` builds a newer one from Debian's source.
NEW_DROPBEAR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "build", "dropbear")

libc = ctypes.CDLL(None, use_errno=True)


def missing_programs():
    missing = ["%s (Debian package %s)" % p for p in PROGRAMS.items() if not os.access(p[0], os.X_OK)]
    missing += ["%s (make dropbear builds it)" % os.path.normpath(p) for p in (NEW_DROPBEAR + "/dropbear", NEW_DROPBEAR + "/dbclient")
                if not os.access(p, os.X_OK)]
    try:
        import paramiko  # noqa: F401
    except ImportError:
        missing.append("paramiko for %s (Debian package python3-paramiko)" % sys.executable)
    if os.geteuid() != 0:
        missing.append("root, for a mount namespace, a test user and sshd")
    return missing


def check(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), "%s: %s" % (what, os.strerror(ctypes.get_errno())))


def mount(source, target, kind, flags=0, data=None):
    enc = lambda s: None if s is None else s.encode()  # noqa: E731
    check(libc.mount(enc(source), enc(target), enc(kind), ctypes.c_ulong(flags), enc(data)), "mount " + target)


def umount(target):
    check(libc.umount2(target.encode(), 2), "umount " + target)  # MNT_DETACH


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def exchange(a, b):
    """Two names change places at once."""
    here = -100     # AT_FDCWD
    check(libc.renameat2(here, a.encode(), here, b.encode(), 2), "exchange %s and %s" % (a, b))


def small_disk(path, size):
    """A file system of `size` bytes at `path`."""
    os.makedirs(path, exist_ok=True)
    mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "size=%d,mode=777" % size)


def inside(work):
    """Runs work() in the sandbox and returns its exit status."""
    check(libc.unshare(CLONE_NEWNS | CLONE_NEWPID), "unshare")
    sys.stdout.flush()
    first = os.fork()
    if first == 0:
        die_with_parent()
        os._exit(first_process(work))
    forward(first)
    return wait_for(first)


def first_process(work):
    """Process 1 of the sandbox: adopts and reaps what others leave; when it ends, everything inside is killed."""
    runner = os.fork()
    if runner == 0:
        status = 1
        try:
            signal.signal(signal.SIGTERM, interrupt)
            signal.signal(signal.SIGINT, interrupt)
            die_with_parent()
            furnish()
            status = work()
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            status = 130
        except BaseException as e:  # the status must leave through os._exit, whatever happened
            import traceback
            traceback.print_exception(type(e), e, e.__traceback__)
        finally:
            sys.stdout.flush()
            os._exit(status)
    forward(runner)
    return wait_for(runner)


def interrupt(number, frame):
    raise KeyboardInterrupt


def forward(pid):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda n, f: os.kill(pid, signal.SIGTERM))


def wait_for(pid):
    while True:
        try:
            done, status = os.wait()
        except InterruptedError:
            continue
        if done == pid:
            return os.waitstatus_to_exitcode(status) & 0xff


def furnish():
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    mount("tmpfs", "/var/log", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    for folder in ("/run/sshd", BASE, BASE + "/etc", BASE + "/bin", BASE + "/home", BASE + "/home/root", BASE + "/tmp"):
        os.mkdir(folder, 0o755)
    os.chmod(BASE + "/tmp", 0o1777)
    os.mkdir(home(), 0o755)
    os.chown(home(), UID, UID)

    def users(line):
        fields = line.split(":")
        if fields[0] == "root":
            fields[5] = BASE + "/home/root"
        return ":".join(fields)

    replace("/etc/passwd", users, "%s:x:%d:%d::%s:/bin/sh" % (USER, UID, UID, home()), 0o644)
    replace("/etc/group", None, "%s:x:%d:" % (USER, UID), 0o644)
    replace("/etc/shadow", None, "%s:%s:19000:0:99999:7:::" % (USER, crypt(PASSWORD)), 0o600)
    for name in list(os.environ):
        del os.environ[name]
    os.environ.update(PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME=BASE + "/home/root", USER="root",
                      LOGNAME="root", SHELL="/bin/sh", LANG="C.UTF-8", TMPDIR=BASE + "/tmp", TERM="xterm")
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.umask(0o022)
    os.chdir(BASE)


def home():
    return "%s/home/%s" % (BASE, USER)


def replace(path, change, line, mode):
    """Lays a private copy over `path`: each line through `change`, one line more."""
    copy = BASE + "/etc/" + os.path.basename(path)
    with open(path) as f:
        lines = [change(x) if change else x for x in f.read().splitlines()]
    with open(copy, "w") as f:
        f.write("\n".join(lines + [line]) + "\n")
    os.chmod(copy, mode)
    mount(copy, path, None, MS_BIND)


def crypt(password):
    lib = ctypes.CDLL("libcrypt.so.1")
    lib.crypt.restype = ctypes.c_char_p
    return lib.crypt(password.encode(), b"$5$rounds=1000$interoptests$").decode()


def install(path, name):
    """A copy of a program where every user of the sandbox can run it."""
    to = "%s/bin/%s" % (BASE, name)
    shutil.copy(path, to)
    os.chmod(to, 0o755)
    return to
