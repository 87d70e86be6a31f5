"""As much of GDB's remote protocol as reads and writes memory of a machine that stands still meanwhile."""
import socket


class Gdb:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.buffer = b""
        self.ask(b"?")      # it stops when somebody connects

    def ask(self, text):
        self.socket.sendall(b"$" + text + b"#%02x" % (sum(text) % 256))
        while True:
            start = self.buffer.find(b"$")
            end = self.buffer.find(b"#", start)
            if start >= 0 and 0 <= end <= len(self.buffer) - 3:
                answer, self.buffer = self.buffer[start + 1:end], self.buffer[end + 3:]
                self.socket.sendall(b"+")
                if text == b"?" or answer[:1] not in (b"T", b"S"):  # that it has stopped is also told unasked
                    return answer
                continue
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("QEMU has closed GDB's connection")
            self.buffer += more

    def read(self, address, n):
        data = b""
        while len(data) < n:
            part = min(1024, n - len(data))
            data += bytes.fromhex(self.ask(b"m%x,%x" % (address + len(data), part)).decode())
        return data

    def write(self, address, data):
        for at in range(0, len(data), 1024):
            part = data[at:at + 1024]
            if self.ask(b"M%x,%x:%s" % (address + at, len(part), part.hex().encode())) != b"OK":
                raise ConnectionError("QEMU does not write there")

    def register(self, number):
        return int.from_bytes(bytes.fromhex(self.ask(b"g")[8 * number:8 * number + 8].decode()), "little")

    def go(self):
        """Detaches: the machine runs on."""
        self.ask(b"D")
        self.socket.close()
