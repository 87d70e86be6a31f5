"""docs/INTEROP.md: what a whole run saw, as tables. A case's name says who spoke to whom: "dory to sshd: aes128-gcm@openssh.com, up"."""
import os
import re

from . import sandbox
from .proc import run

ALGORITHMS = (
    ("Key exchange", ("mlkem768x25519-sha256", "curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256")),
    ("Host keys and user keys", ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256")),
    ("Ciphers and MACs", ("chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes128-ctr",
                          "hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com")),
)
FEATURES = {
    "cases_transfer": "copies", "cases_names": "names", "cases_errors": "errors, limits", "cases_cut": "cuts, Ctrl-C", "cases_rekey": "rekeying",
    "cases_many": "many at once", "cases_keys": "keys", "cases_algorithms": "algorithms", "cases_auth": "authentication", "cases_login": "logins",
    "cases_sftp": "SFTP server", "cases_sftp_client": "SFTP client", "cases_config": "configuration", "cases_server": "server",
    "cases_cli": "command line", "cases_link": "a link of 200 ms", "cases_terminal": "terminal", "cases_remote": "remote side",
}



def first_line(argv, pattern):
    try:
        said = run(argv).text
    except Exception:
        return None
    found = re.search(pattern, said)
    return found.group(1) if found else None


def versions():
    new = os.path.join(sandbox.NEW_DROPBEAR, "dropbear")
    asked = (("OpenSSH", ["ssh", "-V"], r"OpenSSH_(\S+?)[ ,]"), ("Dropbear", ["/usr/sbin/dropbear", "-V"], r"v(\S+)"),
             ("Dropbear, built from newer source", [new, "-V"], r"v(\S+)"),
             ("paramiko", ["/usr/bin/python3", "-c", "import paramiko; print(paramiko.__version__)"], r"(\S+)"),
             ("lftp", ["lftp", "--version"], r"Version (\S+)"))
    for name, argv, pattern in asked:
        version = first_line(argv, pattern)
        if version:
            yield name, version


def who(case):
    """ "dory to sshd" of a case's name, or None where it is not about two programs."""
    pair, colon, _ = case.name.partition(":")
    return pair if colon and " to " in pair else None


def named(text, algorithm):
    return re.search(r"(?<![\w@.-])%s(?![\w@.-])" % re.escape(algorithm), text) is not None


def cell(results):
    good = sum(1 for _, ok in results if ok)
    return "" if not results else str(good) if good == len(results) else "**%d of %d**" % (good, len(results))


def rows(heads, lines):
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for line in lines:
        yield "| " + " | ".join(line) + " |"


def algorithm_table(results, pairs, names):
    seen = [a for a in names if any(who(c) and named(c.name, a) for c, _ in results)]
    lines = []
    for pair in pairs:
        cells = [cell([(c, ok) for c, ok in results if who(c) == pair and named(c.name.partition(":")[2], a)]) for a in seen]
        if any(cells):
            lines.append([pair] + cells)
    return rows([""] + ["`%s`" % a for a in seen], lines)


def feature_table(results, pairs):
    groups = [m for m in FEATURES if any(c.module == m and who(c) for c, _ in results)]
    lines = [[pair] + [cell([(c, ok) for c, ok in results if who(c) == pair and c.module == m]) for m in groups] for pair in pairs]
    return rows([""] + [FEATURES[m] for m in groups], lines)


def write(path, results):
    pairs = list(dict.fromkeys(p for p in (who(c) for c, _ in results) if p))
    good = sum(1 for _, ok in results if ok)
    text = ["# Who Dory was seen to work with", "",
            "Written by `make interop` from what that run saw; do not edit. A number counts the cases that passed; an empty cell is a pair that no case",
            "tries, because one of the two does not have it or nobody has written the case. %d of %d cases passed." % (good, len(results)), "",
            "Peers: " + "; ".join("%s %s" % v for v in versions()) + ".", ""]
    for title, names in ALGORITHMS:
        text += ["## " + title, ""] + list(algorithm_table(results, pairs, names)) + [""]
    text += ["## What was done", ""] + list(feature_table(results, pairs)) + [""]
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(text))
