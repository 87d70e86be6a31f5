"""A linked image: what each part takes of flash and RAM (by the linker's map), and where an address belongs (by the compiler's lines)."""
import bisect
import glob
import os
import re
import subprocess

import machine

# Folders, first match counts.
PARTS = (("platform/device/pull", "platform/device: pull"), ("platform/device", "platform/device"), ("platform/flash", "platform/flash"),
         ("platform/lwip", "platform/lwip"), ("platform/emulated", "emulated flash and entropy"), ("platform/cortex-m", "start-up and drivers"),
         ("boards", "start-up and drivers"), ("platform", "platform/"), ("ssh", "ssh/"), ("scp", "scp/"), ("sftp", "sftp/"),
         ("crypto-port", "cryptography"), ("lib/mbedtls", "cryptography"), ("lib/sodium", "cryptography"), ("lib/lwip", "lwIP"))
LIBRARIES = (("mbedtls", "cryptography"), ("libsodium", "cryptography"), ("lwip", "lwIP"))


def part_of(path):
    if re.match(r"boards/[^/]+/main\.o$", path):
        return "main.c: sessions, tables"
    for prefix, part in PARTS:
        if path.startswith(prefix):
            return part
    return "C library"


def part_of_source(path):
    path = os.path.normpath(path)
    path = path[len(machine.TOP) + 1:] if path.startswith(machine.TOP + "/") else path
    for name, part in LIBRARIES:
        if re.search(r"(^|/)%s(-[^/]*)?/" % name, path) and not path.startswith("platform/"):
            return part
    return part_of(path)


class Image:
    def __init__(self, build):
        """build: a folder below build/."""
        self.build = os.path.join(machine.TOP, "build", build)
        self.path = os.path.join(self.build, "dory.elf")
        self.prefix = machine.tool(build.removesuffix("-parts"), "")
        self.symbols, code = {}, []
        for line in self.tool("nm", "-S").splitlines():
            fields = line.split()
            self.symbols[fields[-1]] = int(fields[0], 16) if len(fields) >= 3 else 0
            if len(fields) == 4 and fields[2] in "tTwW":
                code.append((int(fields[0], 16) & ~1, fields[3]))
        self.code = sorted(code)
        self.starts = [address for address, _ in self.code]

    def tool(self, name, *args):
        return subprocess.run([self.prefix + name, *args, self.path], capture_output=True, text=True, check=True).stdout

    def totals(self):
        """(flash, RAM with stack) in bytes."""
        text, data, bss = (int(n) for n in self.tool("size").splitlines()[1].split()[:3])
        return text + data, data + bss

    # ---- by part

    def objects(self):
        """Object file name -> its path in the build, for members of archives."""
        found = {}
        for path in glob.glob(self.build + "/**/*.o", recursive=True):
            found.setdefault(os.path.basename(path), []).append(os.path.relpath(path, self.build))
        return found

    def sections(self):
        """(section, bytes, object) of all that was linked."""
        pending, on = None, False
        with open(self.path + ".map") as f:
            for line in f:
                on = on or line.startswith("Linker script and memory map")
                name = re.match(r" (\.[\w.$-]+|COMMON)\s*$", line)
                if not on or name:
                    pending = name.group(1) if name else None
                    continue
                m = re.match(r" (\.[\w.$-]+|COMMON)?\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+(\S.*)$", line)
                if m and (m.group(1) or pending):
                    yield m.group(1) or pending, int(m.group(2), 16), m.group(3)
                pending = None

    def by_part(self):
        """({part: bytes of flash}, {part: bytes of RAM without the stack})"""
        objects, flash, ram = self.objects(), {}, {}
        for section, n, name in self.sections():
            member = re.search(r"([\w-]+)\.a\((.+)\)$", name)
            paths = objects.get(member.group(2), []) if member else [os.path.relpath(name, os.path.relpath(self.build, machine.TOP))]
            archive = member.group(1) if member else ""
            own = [p for p in paths if not member or p.startswith({"program": "boards", "lwip": "lib/lwip"}.get(archive, archive))
                   or archive == "crypto-port" or archive == "platform" and p.startswith("boards")]
            part = part_of(own[0] if own else "")
            if re.match(r"\.(text|rodata|srodata|vectors|start|data|sdata)", section):
                flash[part] = flash.get(part, 0) + n
            if re.match(r"\.(data|sdata|bss|sbss)|COMMON", section):
                ram[part] = ram.get(part, 0) + n
        return {k: n for k, n in flash.items() if n}, {k: n for k, n in ram.items() if n}

    # ---- by address

    def function(self, address):
        i = bisect.bisect_right(self.starts, address) - 1
        return self.code[i][1] if i >= 0 else "?"

    def parts_at(self, addresses):
        """{address: part}, inlined code by where it was written."""
        wanted = sorted(addresses)
        found = subprocess.run([self.prefix + "addr2line", "-e", self.path], input="\n".join("%x" % a for a in wanted), capture_output=True,
                               text=True, check=True).stdout.splitlines()
        return {address: part_of_source(where.rsplit(":", 1)[0]) for address, where in zip(wanted, found)}
