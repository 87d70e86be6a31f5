"""A small scp on paramiko: the SCP protocol over an exec channel.

usage: paramiko_scp.py --host H --port P --user U --known FILE [--key FILE] [--rekey BYTES] [--interactive] [-r] [-p] up LOCAL ... REMOTE
       ...                                                                                            down REMOTE ... LOCAL
The password comes from the environment, PARAMIKO_PASSWORD.
"""
import argparse
import logging
import os
import shlex
import socket
import stat
import sys

import paramiko

CHUNK = 1 << 18


class Told(Exception):
    """The other side said that something failed."""


class Line:
    """The channel's bytes, read by record."""

    def __init__(self, channel):
        self.channel, self.buffer = channel, b""

    def read(self, n):
        """Some bytes, at most n."""
        if not self.buffer:
            self.buffer = self.channel.recv(CHUNK)
            if not self.buffer:
                raise EOFError("the connection ended too early")
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def line(self):
        text = b""
        while not text.endswith(b"\n"):
            text += self.read(1)
        return text[:-1]

    def answer(self):
        """The reply to a record: zero, or an error with its text."""
        code = self.read(1)
        if code != b"\0":
            raise Told(self.line().decode("utf-8", "backslashreplace"))

    def send(self, data):
        self.channel.sendall(data)


def send_path(line, path, flags):
    info = os.stat(path)
    name = os.path.basename(path.rstrip(b"/"))
    if flags.p:
        line.send(b"T%d 0 %d 0\n" % (info.st_mtime, info.st_atime))
        line.answer()
    mode = info.st_mode & 0o7777
    if stat.S_ISDIR(info.st_mode):
        line.send(b"D%04o 0 %s\n" % (mode, name))
        line.answer()
        for entry in sorted(os.listdir(path)):
            send_path(line, os.path.join(path, entry), flags)
        line.send(b"E\n")
        line.answer()
        return
    line.send(b"C%04o %d %s\n" % (mode, info.st_size, name))
    line.answer()
    with open(path, "rb") as f:
        while True:
            data = f.read(CHUNK)
            if not data:
                break
            line.send(data)
    line.send(b"\0")
    line.answer()


def receive(line, target, flags):
    """Records until the other side is done; `target` is a stack of folders, or one file's name."""
    stack, times, complaints = [target], None, []
    line.send(b"\0")
    while True:
        try:
            kind = line.read(1)
        except EOFError:
            if len(stack) != 1:
                raise
            return complaints
        text = line.line()
        if kind in (b"\1", b"\2"):
            complaints.append(text.decode("utf-8", "backslashreplace"))
            if kind == b"\2":
                return complaints
            continue
        if kind == b"T":
            fields = text.split()
            times = (int(fields[2]), int(fields[0]))
            line.send(b"\0")
            continue
        if kind == b"E":
            path, mode, kept = stack.pop()
            os.chmod(path, mode)
            if kept:
                os.utime(path, kept)
            line.send(b"\0")
            continue
        mode, size, name = text.split(b" ", 2)
        mode, size = int(mode, 8), int(size)
        folder = stack[-1][0] if isinstance(stack[-1], tuple) else stack[-1]
        path = os.path.join(folder, name) if os.path.isdir(folder) else folder
        if kind == b"D":
            if not os.path.isdir(path):
                os.mkdir(path, 0o700)
            stack.append((path, mode, times))
            times = None
            line.send(b"\0")
            continue
        if kind != b"C":
            raise Told("record of an unknown kind %r" % kind)
        with open(path, "wb") as f:
            line.send(b"\0")
            while size:
                data = line.read(min(size, CHUNK))
                f.write(data)
                size -= len(data)
        line.answer()
        if flags.p:
            os.chmod(path, mode)
        if times:
            os.utime(path, times)
        times = None
        line.send(b"\0")


class Count(logging.Handler):
    """How often paramiko says that it has new keys."""
    seen = 0

    def emit(self, record):
        self.seen += "Switch to new keys" in record.getMessage()


def main():
    p = argparse.ArgumentParser()
    for name in ("--host", "--user", "--known", "--key"):
        p.add_argument(name)
    p.add_argument("--port", type=int)
    p.add_argument("--rekey", type=int)
    p.add_argument("--interactive", action="store_true")
    p.add_argument("-r", action="store_true")
    p.add_argument("-p", action="store_true")
    p.add_argument("way", choices=("up", "down"))
    p.add_argument("paths", nargs="+")
    flags = p.parse_args()
    client = paramiko.SSHClient()
    client.load_host_keys(flags.known)
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    if flags.interactive:   # in place of the order that paramiko would try
        client._auth = lambda *rest: client.get_transport().auth_interactive(
            flags.user, lambda title, instructions, prompts: [os.environ["PARAMIKO_PASSWORD"] for _ in prompts])
    client.connect(flags.host, flags.port, flags.user, password=os.environ.get("PARAMIKO_PASSWORD"), key_filename=flags.key, allow_agent=False,
                   look_for_keys=False, timeout=60)
    transport = client.get_transport()
    transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)    # else each small packet waits for the one before
    count = Count()
    if flags.rekey:
        transport.packetizer.REKEY_BYTES = flags.rekey
        log = logging.getLogger(transport.get_log_channel() or "paramiko.transport")
        log.setLevel(logging.DEBUG)
        log.addHandler(count)
    options = "".join(" -" + x for x in "rp" if getattr(flags, x))
    paths = [os.fsencode(x) for x in flags.paths]
    local = lambda x: shlex.quote(os.fsdecode(x))  # noqa: E731
    status = 0

    def channel(command):
        c = transport.open_session(window_size=4 << 20)
        c.exec_command(os.fsencode(command))
        return c

    def note(text):
        nonlocal status
        print("paramiko_scp: " + text, file=sys.stderr)
        status = 1

    if flags.way == "up":
        several = " -d" if len(paths) > 2 else ""
        c = channel("scp%s%s -t -- %s" % (options, several, local(paths[-1])))
        line = Line(c)
        try:
            line.answer()
            for path in paths[:-1]:
                send_path(line, path, flags)
        except Told as e:
            note(str(e))
        c.shutdown_write()
        status = c.recv_exit_status() or status
        report(c)
    else:
        for path in paths[:-1]:
            c = channel("scp%s -f -- %s" % (options, local(path)))
            for complaint in receive(Line(c), paths[-1], flags):
                note(complaint)
            c.shutdown_write()
            status = c.recv_exit_status() or status
            report(c)
    client.close()
    if flags.rekey:
        print("%d times new keys" % count.seen, file=sys.stderr)
    return status & 0xff


def report(channel):
    while True:
        text = channel.recv_stderr(4096)
        if not text:
            break
        sys.stderr.buffer.write(text)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (paramiko.SSHException, OSError, EOFError) as e:
        print("paramiko_scp: %s: %s" % (type(e).__name__, e), file=sys.stderr)
        sys.exit(1)
