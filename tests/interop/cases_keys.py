"""Keys that Dory makes, used by others; keys that others make, used by Dory."""
import os
import stat

from lib import files, sandbox
from lib.case import case
from lib.clients import DBCLIENT, DORY, OPENSSH, PARAMIKO, R


def keygen(t, *args, **how):
    return t.run([t.lab.dory, "keygen"] + list(args), **how)


def make(t, name="key"):
    path = t.path(name)
    t.ok(keygen(t, "-q", "-t", "ed25519", "-N", "", "-C", "made by dory", "-f", path))
    return path


def authorized(t, key):
    return files.write(os.path.join(t.lab.keys, "authorized." + t.name), t.lab.public(key) + "\n", mode=0o644)


@case("dory keygen: files and their modes")
def files_of_keygen(t):
    path = make(t)
    for name, mode in ((path, 0o600), (path + ".pub", 0o644)):
        found = stat.S_IMODE(os.stat(name).st_mode)
        t.check(found == mode, "mode of %s is %o instead of %o" % (os.path.basename(name), found, mode))
    t.check(files.read(path).startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----\n"), "not in OpenSSH's format")
    t.check(files.read(path + ".pub").endswith(b" made by dory\n"), "the comment is missing")
    files.only(t.dir, "key", "key.pub")


@case("dory keygen: ssh-keygen -y and -l accept its keys and say the same")
def read_by_ssh_keygen(t):
    path = make(t)
    public = t.ok(t.run(["ssh-keygen", "-y", "-f", path])).out
    t.check(public == files.read(path + ".pub"), "ssh-keygen -y derives another public key: %r" % public)
    t.check(t.ok(keygen(t, "-y", "-f", path)).out == public, "dory keygen -y says something else")
    for name in (path, path + ".pub"):
        theirs, ours = t.ok(t.run(["ssh-keygen", "-l", "-f", name])).out, t.ok(keygen(t, "-l", "-f", name)).out
        t.check(theirs == ours, "fingerprint lines differ: %r and %r" % (ours, theirs))


@case("dory keygen: understands ssh-keygen's keys")
def reads_ssh_keygen(t):
    path = t.path("key")
    t.ok(t.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a comment with spaces", "-f", path]))
    t.check(t.ok(keygen(t, "-y", "-f", path)).out == t.ok(t.run(["ssh-keygen", "-y", "-f", path])).out, "-y differs")
    t.check(t.ok(keygen(t, "-l", "-f", path)).out == t.ok(t.run(["ssh-keygen", "-l", "-f", path])).out, "-l differs")
    t.check(t.ok(keygen(t, "-l", "-f", path + ".pub")).out == t.ok(t.run(["ssh-keygen", "-l", "-f", path + ".pub"])).out, "-l of .pub differs")


@case("dory keygen: its key logs in with OpenSSH, Dropbear, paramiko and Dory")
def logs_in(t):
    path = make(t)
    server = t.lab.fresh(t, "serve", authorized=authorized(t, path))
    there = server.folder(t)
    source = files.write(t.path("source"), "content")
    for client in (OPENSSH, DBCLIENT, PARAMIKO, DORY):
        t.ok(client.copy(t, server, source, R("%s/%s" % (t.name, client.name)), key=path))
        files.same(os.path.join(there, client.name), source)


@case("dory keygen: its keys as user key and host key of sshd")
def key_of_sshd(t):
    user, host = make(t), make(t, "host")
    server = t.lab.fresh(t, "sshd", host_key=host, authorized=authorized(t, user))
    source = files.write(t.path("source"), "content")
    there = server.folder(t)
    for client in (OPENSSH, DORY):
        t.ok(client.copy(t, server, source, R("%s/%s" % (t.name, client.name)), key=user))
        files.same(os.path.join(there, client.name), source)


@case("dory keygen: dropbearconvert reads its key")
def read_by_dropbear(t):
    path = make(t)
    t.ok(t.run(["dropbearconvert", "openssh", "dropbear", path, t.path("converted")]))
    shown = t.ok(t.run(["dropbearkey", "-y", "-f", t.path("converted")])).out
    blob = files.read(path + ".pub").split()[1]
    t.check(blob in shown, "Dropbear shows another key: %r" % shown)


@case("dory keygen: does not overwrite a key without being told to")
def keeps_old(t):
    path = make(t)
    old = files.read(path)
    result = keygen(t, "-q", "-t", "ed25519", "-N", "", "-f", path)
    t.check(result.rc != 0, "status 0")
    files.holds(path, old)
    t.ok(keygen(t, "-q", "-t", "ed25519", "-N", "", "-f", path, stdin=b"y\n"))
    t.check(files.read(path) != old, "told to overwrite, it did not")
    files.only(t.dir, "key", "key.pub")


@case("dory keygen: a file that is no key")
def no_key(t):
    path = files.write(t.path("key"), "this is not a key\n", mode=0o600)
    t.fails(keygen(t, "-l", "-f", path), path)
    t.fails(keygen(t, "-y", "-f", path), path)
    t.fails(keygen(t, "-y", "-f", t.path("missing")), "missing", "no such file")


@case("dory scp: an encrypted key is told from a broken one")
def encrypted_key(t):
    path = t.path("key")
    t.ok(t.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", path]))
    server = t.lab.server("sshd")
    server.folder(t)
    result = DORY.copy(t, server, R(t.name + "/x"), t.path("x"), key=path)
    t.fails(result, path, ("passphrase", "encrypted"), "127.0.0.1", "denied")


@case("dory scp: a private key that others can read is not used")
def readable_key(t):
    server = t.lab.server("sshd")
    files.write(server.folder(t) + "/x", "content", owner=sandbox.UID)
    path = files.write(t.path("key"), files.read(t.lab.key), mode=0o644)
    t.fails(DORY.copy(t, server, R(t.name + "/x"), t.path("x"), key=path), path, "other people", "chmod")
    os.chmod(path, 0o600)
    t.ok(DORY.copy(t, server, R(t.name + "/x"), t.path("x"), key=path))


@case("dory scp: an identity file that is missing or damaged")
def damaged_key(t):
    server = t.lab.server("sshd")
    server.folder(t)
    t.fails(DORY.copy(t, server, R(t.name + "/x"), t.path("x"), key=t.path("missing")), t.path("missing"), "no such file", "denied")
    data = files.read(t.lab.key)
    path = files.write(t.path("cut"), data[:len(data) // 2], mode=0o600)
    t.fails(DORY.copy(t, server, R(t.name + "/x"), t.path("x"), key=path), path, "denied")


@case("dory serve: host keys that are missing, damaged or readable by others")
def serve_host_key(t):
    root = t.path("root")
    os.mkdir(root)

    def start(key):
        return t.run([t.lab.dory, "serve", "--listen", "127.0.0.1:0", "--root", root, "--host-key", key, "--user", "x", "--authorized-keys",
                      t.lab.authorized])
    t.fails(start(t.path("missing")), t.path("missing"), "keygen")
    t.fails(start(files.write(t.path("damaged"), files.read(t.lab.key)[:100], mode=0o600)), t.path("damaged"))
    t.fails(start(files.write(t.path("open"), files.read(t.lab.key), mode=0o644)), t.path("open"))
