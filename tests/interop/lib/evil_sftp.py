#!/usr/bin/python3
"""An SFTP server that lies, for `dory scp -D`: what it does wrong is in the environment variable EVIL. Its tree is a folder d with a file in it, and a
file a.txt; everything can be opened and holds "content"."""
import os
import struct
import sys
import time

EVIL = os.environ["EVIL"]
INIT, OPEN, CLOSE, READ, LSTAT, OPENDIR, READDIR, STAT = 1, 3, 4, 5, 7, 11, 12, 17
VERSION, STATUS, HANDLE, DATA, NAME, ATTRS = 2, 101, 102, 103, 104, 105
CONTENT = b"content"
asked, handles = {}, {}


def string(s):
    return struct.pack(">I", len(s)) + s


def say(kind, number, *parts):
    body = bytes([kind]) + struct.pack(">I", number) + b"".join(parts)
    sys.stdout.buffer.write(struct.pack(">I", len(body)) + body)
    sys.stdout.buffer.flush()


def status(number, code, text=b""):
    say(STATUS, number, struct.pack(">I", code), string(text), string(b""))


def attrs(folder):
    return struct.pack(">IQI", 5, 0 if folder else len(CONTENT), 0o040755 if folder else 0o106755)


def names(number, *entries):
    say(NAME, number, struct.pack(">I", len(entries)), *[string(n) + string(b"-rw") + attrs(f) for n, f in entries])


def is_folder(path):
    return path.rstrip(b"/").split(b"/")[-1] in (b"d", b"", b".")


def readdir(number, handle):
    path, turn = handles[handle][0], handles[handle][1]
    handles[handle][1] += 1
    inside = path.endswith(b"d")
    if EVIL == "late" and inside:
        if turn == 0:
            status(number, 1)
        else:
            time.sleep(0.3)
            names(number, (b"evil.sh", False))
    elif turn:
        status(number, 1)
    elif EVIL == "escapes":
        names(number, (b"\x1b[31mred\x07.txt", False), (b"\xc2\x9b2J.txt", False))
    elif EVIL == "above":
        names(number, (b"../above.txt", False))
    elif EVIL == "itself":
        names(number, (b".", True), (b"..", True), (b"a.txt", False))
    elif EVIL == "unasked":
        names(number, (b"evil.sh", False), (b".profile", False), (b"a.txt", False))
    else:
        names(number, *([(b"a.txt", False)] if inside else [(b"d", True), (b"a.txt", False)]))


def answer(kind, number, body):
    n = struct.unpack(">I", body[:4])[0]
    what = body[4:4 + n]
    if EVIL == "nobody" and kind == READ:
        number += 1 << 20
    if kind in (STAT, LSTAT):
        say(ATTRS, number, attrs(is_folder(what)))
    elif kind in (OPEN, OPENDIR) and EVIL == "refusal" and kind == OPEN:
        status(number, 4, b"\x1b[2J\x1b]0;owned\x07no\nscp: all is well")
    elif kind in (OPEN, OPENDIR):
        handles[b"h%d" % len(handles)] = [what, 0]
        say(HANDLE, number, string(b"h%d" % (len(handles) - 1)))
    elif kind == READDIR:
        readdir(number, what)
    elif kind == READ:
        say(DATA, number, string(CONTENT + (b"more" if EVIL == "longer" else b"")))
        if EVIL == "twice":
            say(DATA, number, string(CONTENT))
    else:
        status(number, 0)


def main():
    data = sys.stdin.buffer
    while True:
        head = data.read(5)
        if len(head) < 5:
            return
        body = data.read(struct.unpack(">I", head[:4])[0] - 1)
        if head[4] == INIT:
            sys.stdout.buffer.write(struct.pack(">IBI", 5, VERSION, 3))
            sys.stdout.buffer.flush()
        else:
            answer(head[4], struct.unpack(">I", body[:4])[0], body[4:])


main()
