"""What every machine must do: each case on a machine of its own, fresh from the factory."""
import hashlib
import os
import random
import re
import signal

from lib import files
from lib.case import add
from lib.clients import DORY, OPENSSH, R
from lib.proxy import DOWN, UP, Proxy
from device import LOGIN, Device
import machine

IMAGE = 100 * 1024
LARGE = 256 * 1024
TIMES = 50
CASES = []


def case(name, only=None):
    def keep(work):
        CASES.append((name, work, only))
        return work
    return keep


def declare():
    for entry in machine.machines():
        for name, work, only in CASES:
            if only is None or only(entry):
                add("%s: %s" % (entry[0], name), lambda test, entry=entry, work=work: work(test, entry))


def offers(what):
    """Cases for boards whose main.c names it: what it does not name is not in the image."""
    def only(entry):
        with open(os.path.join(machine.TOP, "boards", entry[1], "main.c")) as f:
            return what in f.read()
    return only


def size_of_image(device):
    """256 KiB where the slot takes them."""
    return LARGE if device.slot("slot-b")[2] >= LARGE else IMAGE


def image(t, size=IMAGE, seed=1):
    return files.write(t.path("image.%d.%d" % (size, seed)), files.blob(size, seed))


def both_ways(t, device, client, source):
    t.ok(device.push(client, source, "slot-b"))
    t.ok(device.pull(client, "slot-b", t.path("back")))
    files.same(t.path("back"), source)


def transfers(client):
    def work(t, entry):
        device = Device(t, entry)
        both_ways(t, device, client, image(t, size_of_image(device)))
        both_ways(t, device, client, image(t, 1, 2))
        both_ways(t, device, client, image(t, IMAGE, 3))
    return work


case("OpenSSH's scp pushes and pulls images")(transfers(OPENSSH))
case("dory scp pushes and pulls images")(transfers(DORY))


@case("first boot: the password of the UART, until a key is set")
def first_boot(t, entry):
    device = Device(t, entry)
    t.check((b"To set a key: scp -O " in device.machine.said) != offers("dory_device_sftp")(entry), "the UART shows a line that scp cannot carry out")
    t.fails(OPENSSH.copy(t, device, R("slot-b"), t.path("x"), password=device.password, login=LOGIN), "permission denied")
    hardware = tuple(re.findall(r"boards/([\w-]+)", machine.makefile(entry[1])))     # its own folder, or the one that it is a variant of
    t.says(t.ok(device.ssh("version")), hardware)
    t.check("emulated" in device.ssh("version").text, "`version` does not say that the entropy is emulated")


@case("a wrong key, a wrong user and a wrong password are refused")
def strangers(t, entry):
    device = Device(t, entry)
    t.fails(device.ssh("version", key=t.lab.wrong_key), "permission denied")
    t.fails(device.ssh("version", login="root"), "permission denied")
    t.fails(OPENSSH.copy(t, device, R("authorized_keys"), t.path("x"), password="wrong", login=LOGIN), "permission denied")
    t.ok(device.ssh("version"))


@case("another host key is refused by the client")
def other_host(t, entry):
    device = Device(t, entry)
    kind, blob = t.lab.public(t.lab.wrong_key).split()[:2]
    files.write(device.known, "[%s]:%d %s %s\n" % (device.host, device.port, kind, blob))
    t.fails(device.push(OPENSSH, image(t), "slot-b"), "identification has changed")
    t.fails(device.push(DORY, image(t), "slot-b"), "changed")


@case("%d transfers in a row leave the network's memory as it was" % TIMES)
def many(t, entry):
    device = Device(t, entry)
    sources = [image(t, 20 * 1024, 1), image(t, 20 * 1024, 2)]
    both_ways(t, device, OPENSSH, sources[0])
    before = None
    for i in range(TIMES // 2):
        both_ways(t, device, (OPENSSH, DORY)[i % 2], sources[i % 2])
        now = idle(t, device)
        if i == TIMES // 4:
            before = now
    # How many segments wait at once depends on the moment, and a new maximum may be met late; a leak meets one again and again.
    for _ in range(3):
        if now == before:
            break
        before = now
        for i in range(TIMES // 4):
            both_ways(t, device, (OPENSSH, DORY)[i % 2], sources[i % 2])
        now = idle(t, device)
    t.check(now == before, "the high-water marks rise: %s, and %s before the last of the transfers" % (now, before))


@case("a second connection while one transfers is served, or waits")
def second(t, entry):
    device = Device(t, entry, arguments=["erase_ms=10"])
    source = image(t)
    first = device.push(OPENSSH, source, "slot-b", start=True)
    device.machine.expect(r"login of user, SHA256")
    t.ok(device.ssh("version"))
    t.ok(t.end(first))
    t.ok(device.pull(OPENSSH, "slot-b", t.path("back")))
    files.same(t.path("back"), source)


@case("many connections at once: all are served or told, and then all is well")
def crowd(t, entry):
    device = Device(t, entry)
    crowd = [device.ssh("version", start=True) for _ in range(12)]
    done = [t.end(one).rc for one in crowd]
    t.check(0 in done, "nobody was served")
    both_ways(t, device, OPENSSH, image(t))
    idle(t, device)


def idle(t, device):
    """Nothing is held for connections that are gone; the marks. A pcb may rest in TIME-WAIT until another needs it: a leak of these would
    stop the third connection."""
    marks = {}
    if not offers("dory_device_pools")(device.entry):
        return marks

    def free():
        marks.update(device.marks())
        marks.pop("tcp-pcb")
        return all(now == 0 for now, _, _ in marks.values())
    t.eventually(free, "the network's memory is free again: %s" % marks)
    return marks


def cuts(way, reset):
    def work(t, entry):
        device = Device(t, entry)
        source, rnd = image(t), random.Random(entry[0] + way)
        t.ok(device.push(OPENSSH, source, "slot-b"))
        for _ in range(6):
            proxy = Proxy(t, device, cut=(way, rnd.randrange(1, IMAGE)), reset=reset)
            if way == UP:
                result = device.push(OPENSSH, source, "slot-b", port=proxy.port)
            else:
                result = device.pull(OPENSSH, "slot-b", t.path("part"), port=proxy.port)
            t.check(proxy.reached.is_set(), "the connection was not cut")
            t.fails(result)
            both_ways(t, device, OPENSSH, source)
        idle(t, device)
    return work


case("an upload that is reset at random places, then a whole one")(cuts(UP, True))
case("an upload that ends at random places, then a whole one")(cuts(UP, False))
case("a download that is reset at random places, then a whole one")(cuts(DOWN, True))


@case("scp that a person breaks off leaves no part of an image that counts")
def broken_off(t, entry):
    device = Device(t, entry)
    for mode in ["-O"] + ["-s"] * offers("dory_device_sftp")(entry):
        proxy = Proxy(t, device, hold=(UP, IMAGE // 2))
        first = t.start(["scp", mode] + device.options(port=proxy.port) + [image(t), "%s@%s:slot-b" % (LOGIN, device.host)])
        t.check(proxy.reached.wait(60), "it never came so far")
        first.signal(signal.SIGINT)
        t.check(t.end(first).rc != 0, "scp says that all went well")
        proxy.release()
        t.eventually(lambda: device.slot("slot-b")[0] == "empty", "the slot is empty")
    both_ways(t, device, OPENSSH, image(t))


@case("the power fails during an upload; keys and the other slots are there")
def power(t, entry):
    device = Device(t, entry, arguments=["erase_ms=10"])
    fingerprint = device.fingerprint
    for _ in range(3):
        first = device.push(OPENSSH, image(t), "slot-b", start=True)
        device.machine.expect(r"login of user, SHA256")
        device.power_off()
        t.end(first)
        device.power_on()
        t.check(device.fingerprint == fingerprint, "the host key is another")
        t.check(device.slot("slot-b")[0] != "valid", "a part of an image counts as valid")
    t.ok(device.push(OPENSSH, image(t), "slot-b"))
    t.check(device.slot("slot-b")[0] == "valid", "the image is not valid")


@case("activate and reboot: the image and the host key are still there")
def reboot(t, entry):
    device = Device(t, entry)
    fingerprint, source = device.fingerprint, image(t)
    t.fails(device.ssh("activate", "slot-b"), "no image")
    t.ok(device.push(OPENSSH, source, "slot-b"))
    with open(source, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    t.fails(device.ssh("activate", "slot-b", digest[:-1] + "x"), "another")
    t.ok(device.ssh("activate", "slot-b", digest))
    before = device.slot("slot-b")
    t.check("active" in before[0], "slot-b is not active: %s" % before[0])
    t.ok(device.ssh("reboot"))
    device.started()
    t.check(device.fingerprint == fingerprint, "the host key is another")
    t.check(device.slot("slot-b") == before, "slot-b is %s and was %s" % (device.slot("slot-b"), before))
    device.power_off()
    device.power_on()
    t.check(device.fingerprint == fingerprint and device.slot("slot-b") == before, "not so after power-off")
    t.ok(device.pull(OPENSSH, "slot-b", t.path("back")))
    files.same(t.path("back"), source)
    t.fails(device.push(OPENSSH, source, "slot-b"))     # it is what boots next
    t.check(device.slot("slot-b") == before, "the slot that boots next was touched")


@case("what cannot fit is refused before the old image is touched")
def too_large(t, entry):
    device = Device(t, entry)
    t.ok(device.push(OPENSSH, image(t), "slot-b"))
    before = device.slot("slot-b")
    t.fails(device.push(OPENSSH, image(t, before[2] + 1), "slot-b"))
    t.fails(device.push(DORY, image(t, before[2] + 1), "slot-b"))
    t.fails(device.push(OPENSSH, image(t), "no-such-slot"))
    t.fails(device.push(OPENSSH, image(t), "slot-a"))
    t.fails(device.push(OPENSSH, image(t), "log"))
    t.check(device.slot("slot-b") == before, "slot-b is %s and was %s" % (device.slot("slot-b"), before))


@case("a slow flash slows the sender and breaks nothing")
def slow(t, entry):
    device = Device(t, entry, arguments=["erase_ms=20"])
    both_ways(t, device, OPENSSH, image(t))
    both_ways(t, device, DORY, image(t, IMAGE, 2))
    idle(t, device)


@case("OpenSSH's scp over SFTP, as it is without -O", offers("dory_device_sftp"))
def over_sftp(t, entry):
    device = Device(t, entry)
    for size in (size_of_image(device), IMAGE):
        source = image(t, size)
        result = t.ok(device.push(OPENSSH, source, "slot-b", flags=["-s"]))
        t.check("unsupported" not in result.text, "scp complains: %s" % result.text)
        t.ok(device.pull(OPENSSH, "slot-b", t.path("back"), flags=["-s"]))
        files.same(t.path("back"), source)
    t.ok(device.ssh("activate", "slot-b"))
    t.fails(device.push(OPENSSH, image(t, IMAGE, 2), "slot-b", flags=["-s"]))
    t.fails(device.push(OPENSSH, source, "slot-a", flags=["-s"]))
    t.ok(device.pull(OPENSSH, ".", t.path("all"), flags=["-s", "-r"]))
    files.same(t.path("all", "slot-b"), source)
    idle(t, device)


@case("sftp put -f: the device promises nothing before the end of the upload, and stores it then", offers("dory_device_sftp"))
def fsync(t, entry):
    device = Device(t, entry)
    source = image(t, 5000)
    result = t.ok(device.sftp("put -f %s slot-b" % source, "get slot-b %s" % t.path("back")))
    t.says(result, "remote fsync", "unsupported")
    files.same(t.path("back"), source)


@case("the log, and all slots at once", offers("dory_device_log_flash"))
def log(t, entry):
    device = Device(t, entry)
    source = image(t)
    t.ok(device.push(OPENSSH, source, "slot-b"))
    t.ok(device.pull(OPENSSH, "log", t.path("log")))
    with open(t.path("log")) as f:
        text = f.read()
    t.check("first boot" in text and "upload of slot-b, %d bytes: done" % IMAGE in text, "the log holds %r" % text)
    t.ok(device.pull(OPENSSH, ".", t.path("all"), flags=["-r"]))
    names = os.listdir(t.path("all"))
    t.check({"slot-b", "log", "authorized_keys"} <= set(names) and "hostkey" not in names, "-r brings %s" % names)
    files.same(t.path("all", "slot-b"), source)


@case("commands: their answers, their exit statuses, none that is not offered")
def commands(t, entry):
    device = Device(t, entry)
    t.says(t.ok(device.ssh("help")), "slots", "reboot")
    if offers("dory_device_stats")(entry):
        t.says(t.ok(device.ssh("stats")), "stack used")
    for command in ("sh", "scp", "sh -c id", "cat log", "forget", "x" * 300):
        result = device.ssh(command)
        t.check(result.rc not in (0, 255), "%s: status %d" % (command[:20], result.rc))


@case("commands typed at the UART", offers("dory_device_console"))
def console(t, entry):
    device = Device(t, entry)
    t.check("no such command" in device.console("sh") and "forget" in device.console("help"), "the console does not answer")


@case("noise is thrown out")
def noise(t, entry):
    import socket
    device = Device(t, entry)
    rnd = random.Random(4)
    for first in (b"", b"SSH-2.0-x\r\n", b"GET / HTTP/1.0\r\n\r\n"):
        with socket.create_connection((device.host, device.port), 10) as s:
            s.settimeout(30)
            try:
                s.sendall(first + rnd.randbytes(60000))
                while s.recv(4096):
                    pass
            except (ConnectionError, BrokenPipeError):
                pass
    both_ways(t, device, OPENSSH, image(t))
