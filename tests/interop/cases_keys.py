"""Keys that Dory makes, used by others; keys that others make, used by Dory."""
import os
import stat

from lib import files, sandbox
from lib.case import add, case
from lib.clients import DBCLIENT, DORY, NEW_DBCLIENT, OPENSSH, PARAMIKO, R
from lib.terminal import Terminal


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


@case("dory to sshd: without Botan's library, a key under a passphrase is for ssh-agent, and that is said")
def without_botan(t):
    server = t.lab.server("sshd")
    there = server.folder(t)
    path = t.path("key")
    t.ok(t.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "open sesame", "-f", path]))
    source = files.write(t.path("source"), "content")
    library = [line.split()[-1] for line in t.run(["/sbin/ldconfig", "-p"]).text.splitlines() if "libbotan-" in line and ".so." in line]
    t.check(library, "no libbotan to take away")
    hide = ["unshare", "-m", "sh", "-ec", "for f in %s; do mount --bind /dev/null $f; done; exec \"$@\"" % " ".join(library), "sh"]
    argv, env = DORY.command(t, server, [source], R(t.name + "/up"), [], key=path)
    t.fails(t.run(hide + argv, env=env), "ssh-agent", "ssh-add " + path, "libbotan", "Permission denied")
    files.only(there)
    t.fails(t.run(hide + [t.lab.dory, "keygen", "-q", "-N", "open sesame", "-f", t.path("new")]), "PKCS8", "libbotan")
    t.check(not os.path.exists(t.path("new")), "a key without its passphrase was written")
    with_it = t.run(argv, env=env)
    t.check("ssh-agent" not in with_it.text, "it says so with the library too: %s" % with_it.text)


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


@case("dory scp: an encrypted key is told from a broken one, where nobody can be asked")
def encrypted_key(t):
    path = t.path("key")
    t.ok(t.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", path]))
    server = t.lab.fresh(t, "sshd", authorized=authorized(t, path))
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


# ---- every type of key, as host key and as user key, in both roles

TYPES = {"ssh-ed25519": ("ed25519", ()), "ecdsa-sha2-nistp256": ("ecdsa", ("-b", "256")), "rsa-sha2-512": ("rsa", ("-b", "2048")),
         "rsa-sha2-256": ("rsa", ("-b", "3072"))}


def theirs(t, name, kind, flags=(), passphrase=""):
    """A key of ssh-keygen's making."""
    path = t.path(name)
    t.ok(t.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", name, "-f", path] + list(flags)))
    return path


def admit(t, *keys):
    """Lets these keys in everywhere; Dropbear looks into the home folder alone. Returns the file for the others."""
    home = os.path.join(sandbox.home(), ".ssh", "authorized_keys")
    before = files.read(home)
    t.at_end(lambda: files.write(home, before, mode=0o644, owner=sandbox.UID))
    text = "".join(t.lab.public(key) + "\n" for key in keys)
    files.write(home, text, mode=0o644, owner=sandbox.UID)
    return files.write(os.path.join(t.lab.keys, "authorized." + t.name), text, mode=0o644)


def copied(t, client, server, key, **how):
    """Up and down again."""
    there = server.folder(t)
    source = files.write(t.path("source"), files.blob(20000))
    up = t.ok(client.copy(t, server, source, R(t.name + "/arrived"), key=key, **how))
    files.same(there + "/arrived", source)
    t.ok(client.copy(t, server, R(t.name + "/arrived"), t.path("back"), key=key, **how))
    files.same(t.path("back"), source)
    return up


def both_keys(algorithm, client, kind):
    def work(t):
        host, user = theirs(t, "host", *TYPES[algorithm]), theirs(t, "user", *TYPES[algorithm])
        server = t.lab.fresh(t, kind, host_key=host, authorized=admit(t, user))
        forced = client.name in ("dory", "openssh") and ["HostKeyAlgorithms=" + algorithm, "PubkeyAcceptedAlgorithms=" + algorithm] or []
        if forced:
            up = copied(t, client, server, user, options=forced, flags=["-v"])
            t.says(up, "host key algorithm: " + algorithm)
        else:
            copied(t, client, server, user)
    return work


for algorithm_ in TYPES:
    for kind_, name_ in (("sshd", "sshd"), ("dropbear", "dropbear"), ("newdropbear", "Dropbear 2025"), ("serve", "dory serve")):
        if not (kind_ == "dropbear" and algorithm_ == "rsa-sha2-512"):          # Dropbear has RSA over SHA-256 alone
            if not (kind_ == "newdropbear" and algorithm_ == "rsa-sha2-512"):
                add("dory to %s: %s, host key and user key" % (name_, algorithm_), both_keys(algorithm_, DORY, kind_))
    for client_, name_ in ((OPENSSH, "openssh"), (DBCLIENT, "dbclient"), (NEW_DBCLIENT, "Dropbear 2025"), (PARAMIKO, "paramiko")):
        if not (client_ in (DBCLIENT, NEW_DBCLIENT) and algorithm_ == "rsa-sha2-512"):
            add("%s to dory serve: %s, host key and user key" % (name_, algorithm_), both_keys(algorithm_, client_, "serve"))


def three_hosts(t):
    """A `dory serve` with a key of each type, made by Dory, and their paths."""
    keys = [t.path(kind) for kind in ("ed25519", "ecdsa", "rsa")]
    for key in keys:
        t.ok(keygen(t, "-q", "-t", os.path.basename(key), "-N", "", "-f", key))
    server = t.lab.fresh(t, "serve", host_key=keys[0], options=["--host-key", keys[1], "--host-key", keys[2]])
    return server, keys


@case("openssh to dory serve: one host key of each type, each to be had, ssh-keyscan lists them")
def several_host_keys(t):
    server, keys = three_hosts(t)
    for key, algorithms in zip(keys, (("ssh-ed25519",), ("ecdsa-sha2-nistp256",), ("rsa-sha2-512", "rsa-sha2-256"))):
        server.write_known(server.known, key)
        for algorithm in algorithms:
            t.says(copied(t, OPENSSH, server, None, options=["HostKeyAlgorithms=" + algorithm], flags=["-v"]),
                   "host key algorithm: " + algorithm)
        t.says(copied(t, DORY, server, None, flags=["-v"]), "host key algorithm: " + algorithms[0])       # the one in known_hosts
    scan = t.ok(t.run(["ssh-keyscan", "-t", "rsa,ecdsa,ed25519", "-p", str(server.port), server.host])).text
    for key in keys:
        t.check(" ".join(t.lab.public(key).split()[:2]) in scan, "ssh-keyscan does not show %s" % os.path.basename(key))


@case("dory serve: two host keys of one type")
def twin_host_keys(t):
    a, b = make(t, "a"), make(t, "b")
    result = t.run([t.lab.dory, "serve", "--listen", "127.0.0.1:0", "--root", t.dir, "--host-key", a, "--host-key", b, "--user", "x",
                    "--authorized-keys", t.lab.authorized])
    t.fails(result, a, b, "one of each type")


@case("dory to sshd: keys that Dory made in each format, as user keys and host keys")
def made_by_dory(t):
    for kind in ("ed25519", "ecdsa", "rsa"):
        for form in ("RFC4716", "PEM", "PKCS8"):
            key = t.path(kind + form)
            t.ok(keygen(t, "-q", "-t", kind, "-m", form, "-N", "", "-f", key))
            copied(t, DORY, t.lab.fresh(t, "sshd", authorized=admit(t, key)), key)
            if (kind, form) != ("ed25519", "PKCS8"):      # OpenSSH reads these from 9.6 on
                copied(t, OPENSSH, t.lab.fresh(t, "serve", host_key=key, authorized=admit(t, key)), key)
        t.ok(t.run(["rm", "-rf", t.path("back")]))


@case("paramiko to dory serve: keys that Dory made")
def made_by_dory_paramiko(t):
    for kind in ("ed25519", "ecdsa", "rsa"):
        key = t.path(kind)
        t.ok(keygen(t, "-q", "-t", kind, "-N", "", "-f", key))
        copied(t, PARAMIKO, t.lab.fresh(t, "serve", host_key=key, authorized=admit(t, key)), key)


# ---- what is too weak, or not spoken

@case("dory to sshd: an RSA host key of 1024 bits is refused")
def short_host_key(t):
    server = t.lab.fresh(t, "sshd", host_key=theirs(t, "host", "rsa", ("-b", "1024")), config=["RequiredRSASize 1024"])
    server.folder(t)
    t.fails(DORY.copy(t, server, R(t.name + "/x"), t.path("x")), "too few bits")


@case("dory scp: an RSA user key of 1024 bits is refused")
def short_user_key(t):
    server = t.lab.server("sshd")
    server.folder(t)
    key = theirs(t, "short", "rsa", ("-b", "1024"))
    t.fails(DORY.copy(t, server, R(t.name + "/x"), t.path("x"), key=key), key, "1024 bits", "denied")


@case("openssh to dory serve: an RSA user key of 1024 bits is refused, though it is authorized")
def short_user_key_serve(t):
    key = theirs(t, "short", "rsa", ("-b", "1024"))
    server = t.lab.fresh(t, "serve", authorized=admit(t, key))
    server.folder(t)
    t.fails(OPENSSH.copy(t, server, R(t.name + "/x"), t.path("x"), key=key, options=["RequiredRSASize=1024"]), "permission denied")


@case("dory serve: a host key of 1024 bits is refused")
def short_host_key_serve(t):
    key = theirs(t, "short", "rsa", ("-b", "1024"))
    t.fails(t.run([t.lab.dory, "serve", "--listen", "127.0.0.1:0", "--root", t.dir, "--host-key", key, "--user", "x", "--authorized-keys",
                   t.lab.authorized]), key, "1024 bits")


@case("dory to sshd: a server that has ssh-rsa with SHA-1 alone, for itself and for users")
def sha1_server(t):
    rsa = theirs(t, "rsa", "rsa", ("-b", "2048"))
    server = t.lab.fresh(t, "sshd", host_key=rsa, config=["HostKeyAlgorithms ssh-rsa"])
    server.folder(t)
    t.fails(DORY.copy(t, server, R(t.name + "/x"), t.path("x")), "host key", "ssh-rsa")
    server = t.lab.fresh(t, "sshd", authorized=admit(t, rsa), config=["PubkeyAcceptedAlgorithms ssh-rsa"])
    t.fails(DORY.copy(t, server, R(t.name + "/x"), t.path("x"), key=rsa), "denied")


@case("openssh to dory serve: a client that has ssh-rsa with SHA-1 alone")
def sha1_client(t):
    rsa = theirs(t, "rsa", "rsa", ("-b", "2048"))
    server = t.lab.fresh(t, "serve", host_key=rsa, authorized=admit(t, rsa))
    server.folder(t)
    t.fails(OPENSSH.copy(t, server, R(t.name + "/x"), t.path("x"), key=rsa, options=["HostKeyAlgorithms=ssh-rsa"]), "host key type",
            "rsa-sha2-512")
    t.fails(OPENSSH.copy(t, server, R(t.name + "/x"), t.path("x"), key=rsa, options=["PubkeyAcceptedAlgorithms=ssh-rsa"]), "denied")
    copied(t, OPENSSH, server, rsa)


@case("dory to sshd: a host certificate is passed over for the plain key")
def host_certificate(t):
    ca, host = theirs(t, "ca", "ed25519"), theirs(t, "host", "ed25519")
    t.ok(t.run(["ssh-keygen", "-q", "-s", ca, "-h", "-I", "host", host + ".pub"]))
    server = t.lab.fresh(t, "sshd", host_key=host, config=["HostCertificate %s-cert.pub" % host])
    t.says(copied(t, DORY, server, None, flags=["-v"]), "host key algorithm: ssh-ed25519\n")


@case("paramiko to dory serve: a user certificate is refused; OpenSSH takes the plain key beside it")
def user_certificate(t):
    ca, user = theirs(t, "ca", "ed25519"), theirs(t, "user", "ed25519")
    t.ok(t.run(["ssh-keygen", "-q", "-s", ca, "-I", "user", "-n", sandbox.USER, user + ".pub"]))
    server = t.lab.fresh(t, "serve", authorized=admit(t, user))
    t.says(copied(t, OPENSSH, server, user, flags=["-v"]), "will attempt key: %s ED25519-CERT" % user)
    t.fails(PARAMIKO.copy(t, server, R(t.name + "/x"), t.path("x"), key=user + "-cert.pub"), "authentication")
    authority = t.lab.fresh(t, "serve", authorized=files.write(os.path.join(t.lab.keys, "ca." + t.name), "cert-authority " + t.lab.public(ca) + "\n",
                                                               mode=0o644))
    authority.folder(t)
    t.fails(OPENSSH.copy(t, authority, R(t.name + "/x"), t.path("x"), key=user), "denied")


# ---- passphrases

@case("dory to sshd: an encrypted key asks for its passphrase, three times, only once the server wants the key")
def passphrases(t):
    for form in ("RFC4716", "PEM", "PKCS8"):
        key = theirs(t, "locked" + form, "ecdsa", ("-m", form), passphrase="open sesame")
        server = t.lab.fresh(t, "sshd", authorized=admit(t, key))
        files.write(server.folder(t) + "/x", "content", owner=sandbox.UID)
        argv, env = DORY.command(t, server, [R(t.name + "/x")], t.path("x"), [], key=key, options=["PasswordAuthentication=no"])
        argv = [word.replace("BatchMode=yes", "BatchMode=no") if isinstance(word, str) else word for word in argv]
        for answers, good in ((["wrong", "open sesame"], True), (["no", "nor", "never"], False), ([""], False)):
            terminal = Terminal(t, argv, env=env)
            for answer in answers:
                t.check(terminal.expect("Enter passphrase for key '%s': " % key), "it did not ask")
                terminal.send(answer + "\r")
            result = terminal.end()
            (t.ok if good else t.fails)(result)
            t.check(result.text.count("Enter passphrase") == len(answers), "it asked another number of times")
            t.check("sesame" not in result.text, "the passphrase was shown")
        other = t.lab.fresh(t, "sshd")
        other.folder(t)
        argv, env = DORY.command(t, other, [R(t.name + "/x")], t.path("x"), [], key=key, options=["PasswordAuthentication=no"])
        argv = [word.replace("BatchMode=yes", "BatchMode=no") if isinstance(word, str) else word for word in argv]
        terminal = Terminal(t, argv, env=env)
        result = t.fails(terminal.end(), "denied")
        t.check("passphrase" not in result.text, "a passphrase for a key that the server does not want")


@case("dory serve: an encrypted host key is refused")
def encrypted_host_key(t):
    for form in ("PEM", "RFC4716"):
        key = theirs(t, "locked" + form, "ecdsa", ("-m", form), passphrase="secret")
        t.fails(t.run([t.lab.dory, "serve", "--listen", "127.0.0.1:0", "--root", t.dir, "--host-key", key, "--user", "x", "--authorized-keys",
                       t.lab.authorized]), key, "protected by a passphrase", "without one")


@case("dory keygen: -p asks for the old passphrase and twice for the new one")
def change_passphrase(t):
    path = t.path("key")
    t.ok(keygen(t, "-q", "-t", "ecdsa", "-N", "open sesame", "-C", "a note", "-f", path))
    public = files.read(path + ".pub")
    for again, good in (("shut", False), ("shut sesame", True)):
        terminal = Terminal(t, [t.lab.dory, "keygen", "-p", "-f", path])
        for question, answer in (("Enter old passphrase: ", "open sesame"), ("Enter new passphrase (empty for no passphrase): ", "shut sesame"),
                                 ("Enter same passphrase again: ", again)):
            terminal.expect(question)
            terminal.send(answer + "\r")
        result = terminal.end()
        (t.ok if good else t.fails)(result)
        t.check("sesame" not in result.text, "a passphrase was shown")
    files.holds(path + ".pub", public)
    t.check(t.ok(t.run(["ssh-keygen", "-y", "-P", "shut sesame", "-f", path])).out == public, "ssh-keygen reads another key")
    files.only(t.dir, "key", "key.pub")


@case("openssh to dory serve: RSA of 8192 bits, the largest, as host key and user key; Dory too")
def largest_rsa(t):
    key = t.path("largest")
    t.ok(t.run(["openssl", "genrsa", "-out", key, "8192"]))
    os.chmod(key, 0o600)
    t.ok(keygen(t, "-q", "-p", "-N", "", "-f", key))
    server = t.lab.fresh(t, "serve", host_key=key, authorized=admit(t, key))
    for client in (OPENSSH, DORY):
        copied(t, client, server, key)
    copied(t, DORY, t.lab.fresh(t, "sshd", host_key=key, authorized=admit(t, key)), key)
