"""Every client with every server, one side of which is Dory."""
from .clients import DBCLIENT, DORY, OPENSSH, PARAMIKO


class Pair:
    by_sftp = False

    def __init__(self, client, kind):
        self.client, self.kind = client, kind
        self.name = "%s to %s" % (client.name, {"serve": "dory serve", "remote": "dory scp under sshd"}.get(kind, kind))

    def server(self, test):
        return test.lab.server(self.kind)

    def copy(self, test, sources, target, flags=(), **how):
        return self.client.copy(test, self.server(test), sources, target, flags, **how)

    def serves(self):
        return self.kind == "serve"


SERVED = [Pair(OPENSSH, "serve"), Pair(DBCLIENT, "serve"), Pair(PARAMIKO, "serve")]     # others' clients, our server
SERVING = [Pair(DORY, "sshd"), Pair(DORY, "dropbear")]                                  # our client, others' servers
REMOTE = [Pair(OPENSSH, "remote")]                                                      # our scp -t and -f, run by sshd
OURS = [Pair(DORY, "serve")]
ALL = SERVED + SERVING + REMOTE + OURS
