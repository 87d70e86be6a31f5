"""Every key exchange, cipher and MAC that Dory speaks, used against another's, with new keys on the way; -v says what was agreed."""
from lib import files
from lib.case import add, case
from lib.clients import DBCLIENT, DORY, NEW_DBCLIENT, OPENSSH, R

KEX = ("curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256")
MLKEM = "mlkem768x25519-sha256"
TAGGED = ("chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes128-gcm@openssh.com")
PLAIN = ("aes256-ctr", "aes128-ctr")
MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com")
SIZE = 3 << 20


def both_ways(t, server, client, options, said, flags=("-v",)):
    """A file up and the same down; what was said each time holds every line."""
    there = server.folder(t)
    source = files.write(t.path("source"), files.blob(SIZE))
    up = t.ok(client.copy(t, server, source, R(t.name + "/arrived"), flags, options=options))
    files.same(there + "/arrived", source)
    down = t.ok(client.copy(t, server, R(t.name + "/arrived"), t.path("back"), flags, options=options))
    files.same(t.path("back"), source)
    for result in (up, down):
        for line in said:
            t.check(line.encode() in result.err, "it never said %r" % line)
    return up, down


def exchanged(kex, kind, client):
    def work(t):
        both_ways(t, t.lab.server(kind), client, ["KexAlgorithms=" + kex, "RekeyLimit=1M"], ["debug1: kex: algorithm: " + kex])
    return work


def sealed(cipher, mac, kind, client):
    def work(t):
        options = ["Ciphers=" + cipher, "RekeyLimit=1M"] + (["MACs=" + mac] if mac else [])
        both_ways(t, t.lab.server(kind), client, options,
                  ["debug1: kex: %s cipher: %s MAC: %s " % (way, cipher, mac or "<implicit>") for way in ("server->client", "client->server")])
    return work


def combinations():
    yield from ((cipher, None) for cipher in TAGGED)
    yield from ((cipher, mac) for cipher in PLAIN for mac in MACS)


for client_, kind_, name_ in ((DORY, "sshd", "dory to sshd"), (OPENSSH, "serve", "openssh to dory serve")):
    for kex_ in KEX:
        add("%s: %s, up and down" % (name_, kex_), exchanged(kex_, kind_, client_))
    for cipher_, mac_ in combinations():
        label = cipher_ + (" with " + mac_ if mac_ else "")
        add("%s: %s, up and down" % (name_, label), sealed(cipher_, mac_, kind_, client_))
for kex_ in KEX:
    add("dory to dropbear: %s, up and down" % kex_, exchanged(kex_, "dropbear", DORY))
for kex_ in KEX + (MLKEM,):
    add("dory to Dropbear 2025: %s, up and down" % kex_, exchanged(kex_, "newdropbear", DORY))
    add("dory to dory serve: %s, up and down" % kex_, exchanged(kex_, "serve", DORY))
for cipher_ in TAGGED:
    add("dory to Dropbear 2025: %s, up and down" % cipher_, sealed(cipher_, None, "newdropbear", DORY))
for cipher_, mac_ in combinations():
    add("dory to dory serve: %s, up and down" % (cipher_ + (" with " + mac_ if mac_ else "")), sealed(cipher_, mac_, "serve", DORY))


@case("dory to Dropbear 2025: ML-KEM unasked")
def mlkem_first(t):
    both_ways(t, t.lab.server("newdropbear"), DORY, [], ["debug1: kex: algorithm: " + MLKEM])


def by_dbclient(client, options, kex, cipher):
    """dbclient says nothing of it; dory serve -v does."""
    def work(t):
        server = t.lab.fresh(t, "serve", options=["-v"])
        both_ways(t, server, client, options, [], ())
        for name in (kex, cipher):
            t.check(server.whole_log().count(", %s, " % name) == 2, "dory serve did not log %s twice" % name)
    return work


add("Dropbear 2025 to dory serve: ML-KEM unasked, up and down", by_dbclient(NEW_DBCLIENT, [], MLKEM, TAGGED[0]))
for cipher_ in TAGGED:
    add("Dropbear 2025 to dory serve: %s, up and down" % cipher_, by_dbclient(NEW_DBCLIENT, [cipher_], MLKEM, cipher_))
add("dbclient to dory serve: %s, up and down" % TAGGED[0], by_dbclient(DBCLIENT, [TAGGED[0]], KEX[0], TAGGED[0]))
