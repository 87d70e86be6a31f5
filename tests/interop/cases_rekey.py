"""Keys change in the middle, begun by either side; 200 MiB with new keys at each MiB, in each direction."""
import os
import re

from lib import files
from lib.case import add
from lib.clients import DORY, OPENSSH, PARAMIKO, R

CHACHA, GCM = "Ciphers=chacha20-poly1305@openssh.com", "Ciphers=aes256-gcm@openssh.com"
OFTEN = 50      # at least so many key exchanges must have been seen


def exchange(t, server, client, way, options, flags=()):
    """One transfer of 200 MiB; the Result."""
    there = server.folder(t)
    if way == "up":
        result = t.ok(client.copy(t, server, t.lab.big(), R(t.name + "/arrived"), flags, options=options))
        files.same(there + "/arrived", t.lab.big())
    else:
        os.link(t.lab.big(), there + "/source")
        result = t.ok(client.copy(t, server, R(t.name + "/source"), t.path("arrived"), flags, options=options))
        files.same(t.path("arrived"), t.lab.big())
    return result


def by_openssh_client(way, cipher):
    def work(t):
        result = exchange(t, t.lab.server("serve"), OPENSSH, way, ["RekeyLimit=1M", "LogLevel=DEBUG1", cipher])
        count = result.err.count(b"SSH2_MSG_NEWKEYS received")
        t.check(count >= OFTEN, "only %d key exchanges" % count)
    return work


def by_paramiko(way):
    def work(t):
        result = exchange(t, t.lab.server("serve"), PARAMIKO, way, ["rekey=%d" % (8 << 20)])
        count = int(re.search(rb"(\d+) times new keys", result.err).group(1))
        t.check(count >= 15, "only %d key exchanges" % count)
    return work


def by_sshd(way, cipher):
    def work(t):
        server = t.lab.fresh(t, "sshd", config=["RekeyLimit 1M"], level="DEBUG1")
        exchange(t, server, DORY, way, [cipher])
        count = server.whole_log().count("SSH2_MSG_NEWKEYS received")
        t.check(count >= OFTEN, "only %d key exchanges" % count)
    return work


def by_dory_client(way, cipher):
    def work(t):
        server = t.lab.fresh(t, "sshd", level="DEBUG1")
        exchange(t, server, DORY, way, ["RekeyLimit=1M", cipher])
        count = server.whole_log().count("SSH2_MSG_NEWKEYS received")
        t.check(count >= OFTEN, "only %d key exchanges" % count)
    return work


def by_both(way):
    """Each side begins at its own limit: now and then both at once."""
    def work(t):
        server = t.lab.fresh(t, "sshd", config=["RekeyLimit 1M"], level="DEBUG1")
        exchange(t, server, DORY, way, ["RekeyLimit=1M"])
        count = server.whole_log().count("SSH2_MSG_NEWKEYS received")
        t.check(count >= OFTEN, "only %d key exchanges" % count)
    return work


def with_dropbear(way):
    def work(t):
        exchange(t, t.lab.server("dropbear"), DORY, way, ["RekeyLimit=1M"])
    return work


for way_ in ("up", "down"):
    for cipher_ in (CHACHA, GCM):
        label = cipher_.split("=")[1].split("@")[0]
        add("openssh to dory serve: RekeyLimit=1M at the client, 200 MiB with %s, %s" % (label, way_), by_openssh_client(way_, cipher_))
    add("paramiko to dory serve: new keys every 8 MiB, 200 MiB, %s" % way_, by_paramiko(way_))
    add("dory to sshd: RekeyLimit 1M at the server, 200 MiB, %s" % way_, by_sshd(way_, CHACHA if way_ == "up" else GCM))
    add("dory to sshd: RekeyLimit=1M at the client, 200 MiB, %s" % way_, by_dory_client(way_, GCM if way_ == "up" else CHACHA))
    add("dory to sshd: RekeyLimit=1M at both, 200 MiB, %s" % way_, by_both(way_))
    add("dory to dropbear: RekeyLimit=1M at the client, 200 MiB, %s" % way_, with_dropbear(way_))
