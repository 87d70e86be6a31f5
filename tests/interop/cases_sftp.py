"""SFTP of `dory serve` against the clients that people have: OpenSSH's scp and sftp, paramiko, lftp, curl."""
import os

from lib import files
from lib.case import case
from lib.clients import OPENSSH, R


def scp(t, server, sources, target, options=(), **how):
    """OpenSSH's scp in its SFTP mode."""
    argv, env = OPENSSH.command(t, server, sources, target, list(options), **how)
    argv.remove("-O")
    return argv, env


@case("openssh to dory serve: scp without -O, both ways")
def scp_both_ways(t):
    server = t.lab.server("serve")
    there = server.folder(t)
    for size in (0, 1, 100000, 9000001):
        path = files.write(t.path("f%d" % size), files.blob(size, size))
        argv, env = scp(t, server, [path], R(t.name + "/up%d" % size))
        t.ok(t.run(argv, env=env))
        files.same(path, there + "/up%d" % size)
        argv, env = scp(t, server, [R(t.name + "/up%d" % size)], t.path("down%d" % size))
        t.ok(t.run(argv, env=env))
        files.same(path, t.path("down%d" % size))
    files.only(there, "up0", "up1", "up100000", "up9000001")
