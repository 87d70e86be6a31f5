"""A program at a terminal, as a person sees it."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from .proc import LIMIT, Failure, Result, environment, identity
from . import sandbox


class Terminal:
    def __init__(self, test, argv, columns=80, rows=24, env=None, user=None, cwd=None):
        self.argv = argv
        self.seen = b""         # everything shown so far
        self.read_to = 0        # how far expect() has looked
        self.master, slave = pty.openpty()
        self.resize(columns, rows)
        env = dict(env or {})
        if user is not None:
            env.setdefault("HOME", sandbox.home())
            os.fchown(slave, sandbox.UID, sandbox.UID)
        self.popen = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=environment(env), cwd=cwd, start_new_session=True,
                                      preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), **identity(user))
        os.close(slave)
        test.at_end(self.kill)

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, wait):
        """More of the output; False at its end."""
        if not select.select([self.master], [], [], wait)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:     # Linux says EIO when nobody holds the other side any more
            return False
        self.seen += data
        return bool(data)

    def expect(self, text, or_end=False, limit=LIMIT):
        """Waits until the text (a regular expression, if compiled) is shown after what was expected before. Returns it, or None at the end
        of the program where that is as good."""
        pattern = text if hasattr(text, "search") else re.compile(re.escape(text.encode()))
        end = time.monotonic() + limit
        while True:
            found = pattern.search(self.seen, self.read_to)
            if found:
                self.read_to = found.end()
                return found
            if not self.read(0.1 if self.popen.poll() is None else 0):
                break
            if time.monotonic() > end or (self.popen.poll() is not None and not select.select([self.master], [], [], 0)[0]):
                break
        if or_end and self.popen.poll() is not None or or_end and self.wait_end():
            return None
        raise Failure("the terminal never showed %r but %r" % (pattern.pattern, self.seen[-300:]))

    def wait_end(self):
        try:
            self.popen.wait(10)
            return True
        except subprocess.TimeoutExpired:
            return False

    def send(self, text):
        os.write(self.master, text.encode())

    def interrupt(self):
        self.send("\x03")

    def end(self, limit=LIMIT):
        """Its Result; what the terminal showed counts as its output."""
        stop = time.monotonic() + limit
        while self.read(0.1) and time.monotonic() < stop:
            if self.popen.poll() is not None and not select.select([self.master], [], [], 0)[0]:
                break
        try:
            rc = self.popen.wait(max(0, stop - time.monotonic()) + 1)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure("%s did not end within %d s" % (os.path.basename(self.argv[0]), limit), Result(self.argv, "none", self.seen, b""))
        return Result(self.argv, rc, self.seen, b"")

    def lines(self):
        """What a line was over time: pieces between carriage returns and line ends."""
        return [x for x in re.split(rb"[\r\n]+", self.seen) if x]

    def kill(self):
        if self.popen.poll() is None:
            try:
                os.killpg(self.popen.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.popen.wait()
        if self.master >= 0:
            os.close(self.master)
            self.master = -1
