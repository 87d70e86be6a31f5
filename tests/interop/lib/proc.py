"""Runs programs, and keeps what they said."""
import os
import re
import select
import signal
import subprocess
import time

from . import sandbox

LIMIT = 120  # seconds after which a program counts as hanging; no case measures time


class Failure(Exception):
    pass


class Result:
    def __init__(self, argv, rc, out, err):
        self.argv, self.rc, self.out, self.err = argv, rc, out, err

    @property
    def text(self):
        return (self.out + b"\n" + self.err).decode("utf-8", "replace")

    def __str__(self):
        def show(label, data):
            data = data[-6000:].decode("utf-8", "backslashreplace")
            return "".join("\n    %s| %s" % (label, line) for line in data.splitlines())
        return "$ %s\n    status %s%s%s" % (" ".join(map(quote, self.argv)), self.rc, show("out", self.out), show("err", self.err))


def quote(word):
    word = word.decode("utf-8", "backslashreplace") if isinstance(word, bytes) else word
    return word if re.fullmatch(r"[\w@%+=:,./\[\]-]+", word) else "'" + word.replace("'", "'\\''") + "'"


def environment(env):
    merged = dict(os.environ)
    merged.update(env or {})
    return {k: v for k, v in merged.items() if v is not None}


def identity(user):
    if user is None:
        return {}
    return {"user": sandbox.UID, "group": sandbox.UID, "extra_groups": []}


class Process:
    """A program in the background, in a process group of its own; its output goes to files."""

    def __init__(self, argv, user=None, env=None, cwd=None, stdin=None, out=None, err=None):
        self.argv = argv
        self.out_path = out or os.path.join(sandbox.BASE, "tmp", "out.%d" % time.monotonic_ns())
        self.err_path = err or self.out_path + ".err"
        env = dict(env or {})
        if user is not None:
            env.setdefault("HOME", sandbox.home())
            env.setdefault("USER", sandbox.USER)
            env.setdefault("LOGNAME", sandbox.USER)
        with open(self.out_path, "ab") as o, open(self.err_path, "ab") as e:
            self.popen = subprocess.Popen(argv, stdin=stdin if stdin is not None else subprocess.DEVNULL, stdout=o, stderr=e, env=environment(env),
                                          cwd=cwd, start_new_session=True, **identity(user))
        self.pid = self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def signal(self, number):
        """To this process alone."""
        if self.alive():
            os.kill(self.pid, number)

    def signal_group(self, number):
        """To this process and those that it started."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass

    def wait(self, limit=LIMIT):
        """Its Result; a program that does not end is killed and fails the case."""
        try:
            rc = self.popen.wait(limit)
        except subprocess.TimeoutExpired:
            self.signal_group(signal.SIGKILL)
            rc = "none: it did not end within %d s" % limit
            self.popen.wait()
        result = Result(self.argv, rc, read(self.out_path), read(self.err_path))
        if isinstance(rc, str):
            raise Failure("%s did not end within %d s" % (os.path.basename(str(self.argv[0])), limit), result)
        return result

    def kill(self):
        if self.alive():
            self.signal_group(signal.SIGKILL)
            self.popen.wait()


def run(argv, user=None, env=None, cwd=None, stdin=b"", limit=LIMIT):
    """Runs a program to its end."""
    feed = os.memfd_create("stdin")
    try:
        os.write(feed, stdin)
        os.lseek(feed, 0, os.SEEK_SET)
        process = Process(argv, user=user, env=env, cwd=cwd, stdin=feed)
        try:
            return process.wait(limit)
        finally:
            process.kill()
            for path in (process.out_path, process.err_path):
                os.unlink(path)
    finally:
        os.close(feed)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def eventually(condition, what, limit=60):
    """Polls until the condition holds; the limit only stops a test that would never end."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure("never came true: " + what)
        select.select([], [], [], 0.01)
