"""paramiko's SFTPClient against a server: one scenario.

usage: paramiko_sftp.py HOST PORT USER KEY KNOWN FOLDER-THERE FOLDER-HERE SCENARIO
"""
import logging
import os
import random
import stat
import sys

import paramiko

logging.basicConfig(level=logging.CRITICAL)
logging.raiseExceptions = False


def blob(n, seed=1):
    return random.Random(seed).randbytes(n)


def refused(work, *args, error=IOError):
    try:
        work(*args)
    except error:
        return
    raise AssertionError("%s%r was not refused" % (work.__name__, args))


def files(sftp, here):
    data = blob(1000000)
    with open(here + "/source", "wb") as f:
        f.write(data)
    info = sftp.put(here + "/source", "up")         # it compares the size that stat says
    assert info.st_size == len(data)
    sftp.get("up", here + "/down")
    with open(here + "/down", "rb") as f:
        assert f.read() == data
    with sftp.open("up", "r+") as f:
        f.seek(10)
        f.write(b"changed")
        f.seek(0)
        assert f.read(20) == data[:10] + b"changed" + data[17:20]
        f.truncate(50)
        assert f.stat().st_size == 50
    with sftp.open("up", "a") as f:
        f.write(b"appended")
    with sftp.open("up") as f:
        assert f.read() == data[:10] + b"changed" + data[17:50] + b"appended"
        assert f.readv([(0, 5), (10, 7), (50, 8)]) is not None
        assert list(f.readv([(0, 5), (10, 7), (50, 8)])) == [data[:5], b"changed", b"appended"]
    with sftp.open("new", "wx") as f:
        f.write(b"mine")
    refused(sftp.open, "new", "wx")
    with sftp.open("both", "w+") as f:
        f.write(b"0123456789")
        f.seek(3)
        assert f.read(4) == b"3456"
    sftp.truncate("both", 4)
    with sftp.open("both") as f:
        assert f.read() == b"0123"
    with sftp.open("large", "w") as f:              # a buffered file, written at odd sizes
        for i in range(500):
            f.write(blob(i, i))
    with sftp.open("large") as f:
        assert f.read() == b"".join(blob(i, i) for i in range(500))


def names(sftp, here):
    base = sftp.normalize(".")
    sftp.mkdir("d", 0o750)
    assert stat.S_IMODE(sftp.stat("d").st_mode) == 0o750
    with sftp.open("d/a", "w") as f:
        f.write(b"a")
    sftp.chmod("d/a", 0o604)
    sftp.utime("d/a", (1000, 2000))
    info = sftp.stat("d/a")
    assert (stat.S_IMODE(info.st_mode), info.st_atime, info.st_mtime, info.st_size) == (0o604, 1000, 2000, 1)
    assert stat.S_ISREG(info.st_mode) and stat.S_ISDIR(sftp.lstat("d").st_mode)
    sftp.rename("d/a", "b")
    with sftp.open("d/c", "w") as f:
        f.write(b"c")
    refused(sftp.rename, "d/c", "b")
    sftp.posix_rename("d/c", "b")
    with sftp.open("b") as f:
        assert f.read() == b"c"
    refused(sftp.symlink, "b", "link")
    refused(sftp.readlink, "b")
    refused(sftp.remove, "d")
    refused(sftp.rmdir, "b")
    refused(sftp.stat, "nothing", error=FileNotFoundError)
    refused(sftp.open, "nothing", error=FileNotFoundError)
    assert sftp.normalize("d/../../..") == "/"
    assert sftp.normalize("d/./x//y") == base + "/d/x/y"
    sftp.remove("b")
    sftp.rmdir("d")
    assert sftp.listdir() == []


def make(sftp, n):
    data = blob(n, seed=7)
    with sftp.open("big", "w") as f:
        f.set_pipelined(True)
        f.write(data)
    assert sftp.stat("big").st_size == n
    return data


def prefetch(sftp, here):
    """All requests for the file are sent before an answer is looked at."""
    data = make(sftp, 120 << 20)
    with sftp.open("big") as f:
        f.prefetch()
        assert f.read() == data
    with sftp.open("big") as f:
        f.prefetch(len(data))
        f.seek(100 << 20)
        assert f.read(1000) == data[100 << 20:(100 << 20) + 1000]


def after_upload(sftp, here):
    """The large window of an upload is still open when the requests of a prefetch come."""
    data = make(sftp, 40 << 20)
    for _ in range(3):
        sftp.getfo("big", open(os.devnull, "wb"))
        with sftp.open("other", "w") as f:
            f.set_pipelined(True)
            f.write(data[:10 << 20])
            with sftp.open("big") as g:             # while the other one is still open
                g.prefetch(len(data))
                assert g.read() == data
    assert sftp.stat("other").st_size == 10 << 20


def closed_early(sftp, here):
    """The file is closed and others are used while most of what was asked for has not been read."""
    data = make(sftp, 40 << 20)
    for i in range(3):
        f = sftp.open("big")
        f.prefetch(len(data))
        assert f.read(100000) == data[:100000]
        f.close()
        with sftp.open("small%d" % i, "w") as g:
            g.write(b"x")
        assert sftp.stat("small%d" % i).st_size == 1


def pipelined(sftp, here):
    """Tiny writes whose answers nobody reads for long."""
    with sftp.open("tiny", "wb", bufsize=0) as f:
        f.set_pipelined(True)
        for i in range(5000):
            f.write(b"%07d\n" % i)
    with sftp.open("tiny") as f:
        assert f.read() == b"".join(b"%07d\n" % i for i in range(5000))


def open_files(sftp, here):
    handles = []
    try:
        while len(handles) < 1000:
            handles.append(sftp.open("f%d" % len(handles), "w"))
    except IOError as e:
        assert "open files" in str(e), e
    assert 20 <= len(handles) < 1000, len(handles)
    for i, f in enumerate(handles):
        f.write(b"%d" % i)
        f.close()
    assert len(sftp.listdir()) == len(handles)


def directory(sftp, here):
    for i in range(700):
        with sftp.open("a name of some length, number %d" % i, "w") as f:
            f.write(b"x" * (i % 5))
    found = {a.filename: a for a in sftp.listdir_attr()}
    assert sorted(found) == sorted("a name of some length, number %d" % i for i in range(700))
    for name, a in found.items():
        assert a.st_size == int(name.split()[-1]) % 5 and a.longname.endswith(" " + name)
    assert sorted(a.filename for a in sftp.listdir_iter()) == sorted(found)


def main():
    host, port, user, key, known, there, here, scenario = sys.argv[1:]
    client = paramiko.SSHClient()
    client.load_host_keys(known)
    client.connect(host, int(port), user, key_filename=key, look_for_keys=False, allow_agent=False, timeout=20)
    sftp = client.open_sftp()
    sftp.get_channel().settimeout(60)
    sftp.chdir(there)
    globals()[scenario](sftp, here)
    sftp.close()
    client.close()


main()
