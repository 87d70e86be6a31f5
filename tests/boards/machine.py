"""A board in QEMU. boards/<board>/qemu holds its command, a line for each machine that runs the image; @NETWORK@ is the user network."""
import os
import re
import select
import socket
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATIENCE = 60   # seconds after which a machine counts as hanging


class Failure(Exception):
    pass


def machines():
    """(machine, board, command) of every board that can be run."""
    for board in sorted(os.listdir(os.path.join(TOP, "boards"))):
        path = os.path.join(TOP, "boards", board, "qemu")
        if not os.path.exists(path):
            continue
        with open(path) as f:
            commands = [line.split() for line in f.read().splitlines()]
        for words in commands:
            yield (board if len(commands) == 1 else words[words.index("-M") + 1]), board, words


def command(words, board, port, flash, isolated=True, arguments=(), extra=(), network=None):
    """The command line of a machine whose port 22 is 127.0.0.1:port. Isolated: the guest reaches nothing but who connects to it. Network:
    what it is connected to instead of QEMU's user network."""
    network = network or "user,%shostfwd=tcp:127.0.0.1:%d-:22" % ("restrict=on," if isolated else "", port)
    given = ["fw", "flash=%s" % flash] + list(arguments)
    semihosting = "enable=on,target=native" + "".join(",arg=%s" % a.replace(",", ",,") for a in given)
    return ([w.replace("@NETWORK@", network) for w in words] +
            ["-display", "none", "-monitor", "none", "-serial", "stdio", "-semihosting-config", semihosting] + list(extra) +
            ["-kernel", image(board)])


def makefile(board):
    with open(os.path.join(TOP, "boards", board, "board.mk")) as f:
        return f.read()


def tool(board, name):
    """A program of the board's own tool chain."""
    return re.search(r"^TOOLS *= *(\S+)", makefile(board), re.M).group(1) + name


def image(board):
    return os.path.join(TOP, "build", board, "dory.elf")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Machine:
    """One running machine: what it says on its UART, and what is typed there."""

    def __init__(self, name, board, words, folder, port=None, **options):
        self.name, self.board, self.folder = name, board, folder
        self.port = port or free_port()
        self.said = b""
        self.seen = 0       # of `said`, by expect
        argv = command(words, board, self.port, "flash.bin", **options)    # relative: the path must hold no blank
        self.process = subprocess.Popen(argv, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def listen(self, seconds):
        """Takes what comes within the time; False: nothing did."""
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return False
        data = os.read(self.process.stdout.fileno(), 65536)
        self.said += data
        return bool(data)

    def expect(self, pattern):
        """Waits for a line that matches and returns the match; a later call looks behind it."""
        end = time.monotonic() + PATIENCE
        pattern = re.compile(pattern.encode() if isinstance(pattern, str) else pattern, re.M)
        while True:
            match = pattern.search(self.said, self.seen)
            if match and b"\n" in self.said[match.end():]:
                self.seen = match.end()
                return match
            if time.monotonic() > end:
                raise Failure("no line like %r on the UART" % pattern.pattern.decode())
            if not self.listen(1) and self.process.poll() is not None:
                raise Failure("the machine ended with status %d before a line like %r" % (self.process.returncode, pattern.pattern.decode()))

    def expect_prompt(self, mark, line):
        """Waits until what was typed at `mark` was answered: the prompt comes again."""
        end = time.monotonic() + PATIENCE
        while not re.search(rb"\n> ", self.said[mark:]):
            if time.monotonic() > end or (not self.listen(1) and self.process.poll() is not None):
                raise Failure("no answer to %r on the UART" % line)

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def stop(self):
        """Power off: the flash file keeps what it holds."""
        if self.process.stdout.closed:
            return
        self.process.kill()
        self.process.wait()
        while self.listen(0):
            pass
        self.process.stdin.close()
        self.process.stdout.close()
