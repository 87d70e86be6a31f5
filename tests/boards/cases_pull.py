"""The device as a client: `pull` from a host's sshd, which the guest reaches as 10.0.2.2. Boards whose main.c links it."""
import os
import random
import re
import socket
import time

from lib import files, sandbox
from lib.clients import OPENSSH
from lib.proc import Failure
from lib.proxy import DOWN, UP, Proxy
from cases import IMAGE, case, idle, image, size_of_image
from device import Device
import machine

HOST = "10.0.2.2"
LITTLE = 800     # bytes that go up at least: the login, and a window now and then


def fetches_here(entry):
    """What takes long, on one machine: the rest is the same code."""
    return entry[1] == "riscv32-virt"


def fetches(entry):
    with open(os.path.join(machine.TOP, "boards", entry[1], "main.c")) as f:
        return "dory_pull_board_run" in f.read()


def device_of(t, entry, **how):
    return Device(t, entry, isolated=False, **how)


class Host:
    """A server that knows the device, and that the device knows, with a folder of files."""

    def __init__(self, t, device, kind="sshd", **how):
        self.t, self.device = t, device
        self.key = re.search(r"^ssh-ed25519 \S+ \S+", device.console("pubkey"), re.M).group(0)
        self.authorized = files.write(os.path.join(t.lab.keys, "authorized." + t.name), self.key + "\n")
        os.chmod(self.authorized, 0o644)
        self.server = t.lab.fresh(t, kind, authorized=self.authorized, **how)
        self.folder = self.server.folder(t)

    def offer(self, source, name="fw.bin"):
        with open(source, "rb") as f:
            path = files.write(os.path.join(self.folder, name), f.read())
        os.chmod(path, 0o644)
        return path

    def known(self, port=None, key=None):
        """The device's known_hosts: this server, by its real key or another."""
        kind, blob = self.t.lab.public(key or self.server.host_key).split()[:2]
        lines = "# hosts\n10.0.2.99 %s %s\n[%s]:%d %s %s\n" % (kind, blob, HOST, port or self.server.port, kind, blob)
        self.t.ok(self.device.push(OPENSSH, files.write(self.t.path("known_for_device"), lines), "known_hosts"))

    def command(self, name="fw.bin", slot="slot-b", port=None):
        return "pull -P %d %s@%s:%s/%s %s" % (port or self.server.port, sandbox.USER, HOST, self.t.name, name, slot)

    def pull(self, name="fw.bin", slot="slot-b", port=None, status=0):
        text = self.device.console(self.command(name, slot, port))
        said = re.search(r"pull: exit status (\d+): ([^\r\n]*)", text)
        if not said or int(said.group(1)) != status:
            raise Failure("the console says: %s" % text)
        return text


def arrived(t, device, source):
    t.ok(device.pull(OPENSSH, "slot-b", t.path("back")))
    files.same(t.path("back"), source)


def ready(t, entry, size=IMAGE, **how):
    device = device_of(t, entry, **how)
    host = Host(t, device)
    host.known()
    source = image(t, size)
    host.offer(source)
    return device, host, source


@case("pull: from OpenSSH's sshd, started on the console", fetches)
def from_sshd(t, entry):
    device, host, source = ready(t, entry)
    host.pull()
    arrived(t, device, source)
    other = image(t, size_of_image(device), 2)
    host.offer(other, "other.bin")
    host.pull("other.bin")
    arrived(t, device, other)


@case("pull: though all sessions are taken, and more callers wait than there are connections", fetches)
def busy(t, entry):
    device, host, source = ready(t, entry)
    users, callers = [], []
    for _ in range(2):      # DORY_DEVICE_SESSIONS
        users.append(device.ssh("-N", start=True))
        device.machine.expect(r"login of user, SHA256")
    for _ in range(4):
        callers.append(socket.create_connection((device.host, device.port), 10))
    host.pull()
    for user in users:
        user.kill()
    for caller in callers:
        caller.close()
    arrived(t, device, source)


@case("pull: over ssh, its exit status and its words come back", fetches)
def over_ssh(t, entry):
    device, host, source = ready(t, entry)
    result = t.ok(device.ssh(host.command()))
    t.says(result, "%d bytes in slot-b" % IMAGE)
    arrived(t, device, source)
    result = device.ssh(host.command("nothing"))
    t.check(result.rc == 1, "status %d" % result.rc)
    t.says(result, "No such file or directory")


@case("pull: from Dropbear 2025 with a post-quantum key exchange, whose ML-KEM is another's", fetches)
def from_dropbear(t, entry):
    device = device_of(t, entry)
    host = Host(t, device, "newdropbear")
    home = os.path.join(sandbox.home(), ".ssh", "authorized_keys")     # Dropbear looks nowhere else
    with open(home) as f:
        before = f.read()
    t.at_end(lambda: files.write(home, before))
    with open(home, "a") as f:
        f.write(host.key + "\n")
    host.known()
    source = image(t)
    host.offer(source)
    text = host.pull()
    t.check("mlkem768x25519-sha256" in text, "another key exchange was used: %s" % text)
    arrived(t, device, source)


@case("pull: what a login script says on the host's stderr is shown and decides nothing, an exit status does", fetches)
def login_script(t, entry):
    device = device_of(t, entry)
    flag = t.path("fails")
    host = Host(t, device, config=['ForceCommand echo "Welcome to the host" >&2; eval "$SSH_ORIGINAL_COMMAND"; test ! -e %s || exit 3' % flag])
    host.known()
    source = image(t)
    host.offer(source)
    t.check("pull: [%s]:%d: Welcome to the host" % (HOST, host.server.port) in host.pull(), "the words are not shown")
    arrived(t, device, source)
    files.write(flag, "")
    t.check("ended with status 3" in host.pull(status=1), "no word of the status")


@case("pull: and at the same time the server works", fetches)
def both(t, entry):
    device, host, source = ready(t, entry, arguments=["erase_ms=10"])
    first = t.start(["true"])
    device.machine.type(host.command() + "\r")
    device.machine.expect(r"pull: logged in")
    for _ in range(3):
        t.ok(device.ssh("slots"))
    t.ok(device.pull(OPENSSH, "log", t.path("log")))
    device.machine.expect(r"pull: exit status 0")
    t.end(first)
    arrived(t, device, source)


@case("pull: another host key, and nothing was told to it", fetches)
def wrong_key(t, entry):
    device, host, source = ready(t, entry)
    host.pull()
    before = device.slot("slot-b")
    host.known(key=t.lab.wrong_key)
    mark = host.server.log_size()
    t.check("WRONG host key" in host.pull(status=1), "no word of the key")
    said = host.server.log_since(mark)
    t.check("Accepted" not in said and "publickey" not in said and sandbox.USER not in said, "the host heard: %s" % said)
    t.check(device.slot("slot-b") == before, "the slot was touched")


@case("pull: an unknown host is not called", fetches)
def unknown(t, entry):
    device, host, source = ready(t, entry)
    host.known(port=1)
    mark = host.server.log_size()
    t.check("known_hosts has no key" in host.pull(status=1), "no word of known_hosts")
    t.check(host.server.log_since(mark) == "" or "Connection from" not in host.server.log_since(mark), "the host was called")


@case("pull: a host that does not know the device's key", fetches)
def stranger(t, entry):
    device, host, source = ready(t, entry)
    files.write(host.authorized, t.lab.public(t.lab.key) + "\n")
    t.check("Permission denied" in host.pull(status=1), "no word of it")


@case("pull: a file that is not there, too large, a directory, a slot that runs: the slot stays", fetches)
def cannot(t, entry):
    device, host, source = ready(t, entry)
    host.pull()
    before = device.slot("slot-b")
    t.check("No such file" in host.pull("nothing", status=1), "no word of the file")
    host.offer(image(t, before[2] + 1), "large.bin")
    host.pull("large.bin", status=1)
    os.mkdir(os.path.join(host.folder, "dir"))
    host.pull("dir", status=1)
    host.pull(slot="slot-a", status=1)
    host.pull(slot="log", status=1)
    t.check(device.slot("slot-b") == before, "slot-b is %s and was %s" % (device.slot("slot-b"), before))
    t.check("usage" in device.console("pull"), "no usage")


def cuts(way, reset):
    def work(t, entry):
        device, host, source = ready(t, entry)
        rnd = random.Random(entry[0] + way + str(reset))
        proxy = Proxy(t, host.server, reset=reset)
        host.known(port=proxy.port)
        for i in range(6):
            source = image(t, IMAGE, 10 + i)
            host.offer(source)
            proxy.reached.clear()
            proxy.cut = (way, rnd.randrange(1, IMAGE if way == DOWN else LITTLE))
            device.machine.seen = mark = len(device.machine.said)
            device.machine.type(host.command(port=proxy.port) + "\r")
            device.machine.expect(r"; again in \d+ ms")
            t.check(proxy.reached.is_set(), "the connection was not cut")
            proxy.cut = None
            device.machine.expect(r"pull: exit status 0")
            device.machine.expect_prompt(mark, "pull")
            arrived(t, device, source)
        idle(t, device)
    return work


case("pull: reset at random places on the way down, then whole", fetches_here)(cuts(DOWN, True))
case("pull: ended at random places on the way down, then whole", fetches)(cuts(DOWN, False))
case("pull: reset at random places on the way up, then whole", fetches_here)(cuts(UP, True))


@case("pull: a host that comes back", fetches_here)
def comes_back(t, entry):
    device, host, source = ready(t, entry)
    host.server.stop()
    device.machine.seen = len(device.machine.said)
    device.machine.type(host.command() + "\r")
    device.machine.expect(r"; again in 1000 ms")
    device.machine.expect(r"; again in 2000 ms")
    host.server.start()
    device.machine.expect(r"pull: exit status 0")
    arrived(t, device, source)


@case("pull: nobody there, and it ends", fetches_here)
def nobody(t, entry):
    device, host, source = ready(t, entry)
    host.server.stop()
    text = host.pull(status=1)
    t.check(text.count("again in") >= 3, "it was not tried again: %s" % text)


@case("pull: a host whose disk rests for seconds", fetches_here)
def slow_host(t, entry):
    device, host, source = ready(t, entry)
    proxy = Proxy(t, host.server, hold=(DOWN, IMAGE // 2))
    host.known(port=proxy.port)
    device.machine.type(host.command(port=proxy.port) + "\r")
    t.check(proxy.reached.wait(30), "it never came so far")
    time.sleep(3)
    t.ok(device.ssh("slots"))
    proxy.release()
    device.machine.expect(r"pull: exit status 0")
    arrived(t, device, source)


@case("pull: a host that exchanges keys anew all the time, and has much to say before", fetches_here)
def rekeys(t, entry):
    device = device_of(t, entry)
    banner = files.write(t.path("banner"), "no entry\n" * 100)
    host = Host(t, device, config=["RekeyLimit 16K", "Banner %s" % banner], level="DEBUG1")
    host.known()
    source = image(t)
    host.offer(source)
    host.pull()
    arrived(t, device, source)
    count = host.server.whole_log().count("rekey out after")
    t.check(count >= 3, "keys were exchanged anew %d times" % count)


@case("the client is in the image where main.c names it, and nowhere else")
def linked(t, entry):
    names = t.ok(t.run([machine.tool(entry[1], "nm"), machine.image(entry[1])])).text
    for name in ("dory_ssh_client", "dory_i_client_flush_channel"):
        t.check((" %s\n" % name in names) == fetches(entry), "%s: %s" % (name, "missing" if fetches(entry) else "linked"))


@case("pull: at boot, also after the power failed in the middle", fetches)
def at_boot(t, entry):
    device, host, source = ready(t, entry, arguments=["erase_ms=10"])
    device.power_off()
    device.how["arguments"] = ["erase_ms=10", "pull=" + host.command()[len("pull "):].replace(" ", ",")]
    for _ in range(3):
        device.power_on()
        device.machine.expect(r"pull: logged in")
        device.power_off()
    device.power_on()
    device.machine.expect(r"pull: exit status 0")
    arrived(t, device, source)


@case("pull: a slow flash slows the host and breaks nothing", fetches_here)
def slow_flash(t, entry):
    device, host, source = ready(t, entry, arguments=["erase_ms=20"])
    host.pull()
    arrived(t, device, source)


@case("pull: 20 in a row leave the network's memory as it was", fetches_here)
def many(t, entry):
    device, host, source = ready(t, entry, 20 * 1024)
    for i in range(20):
        host.pull()
        if i == 9:
            before = idle(t, device)
    now = idle(t, device)
    t.check(now == before, "the high-water marks rise: %s, and after half %s" % (now, before))
    arrived(t, device, source)
