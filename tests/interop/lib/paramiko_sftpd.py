"""An SSH server on paramiko that has SFTP and nothing else: one thread a connection.

usage: paramiko_sftpd.py PORT ROOT HOST-KEY AUTHORIZED-KEYS
"""
import os
import socket
import sys
import threading

import paramiko
from paramiko import SFTPAttributes, SFTPHandle, SFTPServer, SFTPServerInterface

ROOT = ""


def place(path):
    return os.path.normpath(os.path.join(ROOT, path.lstrip("/") if path.startswith(ROOT) is False else path))


def guarded(work):
    def wrapped(*args):
        try:
            return work(*args)
        except OSError as e:
            return SFTPServer.convert_errno(e.errno)
    return wrapped


class Handle(SFTPHandle):
    @guarded
    def stat(self):
        return SFTPAttributes.from_stat(os.fstat((self.readfile or self.writefile).fileno()))

    @guarded
    def chattr(self, attr):
        SFTPServer.set_file_attr(self.filename, attr)
        return paramiko.SFTP_OK


class Files(SFTPServerInterface):
    def canonicalize(self, path):
        return place(path)

    @guarded
    def list_folder(self, path):
        found = []
        for name in os.listdir(place(path)):
            attributes = SFTPAttributes.from_stat(os.lstat(os.path.join(place(path), name)))
            attributes.filename = name
            found.append(attributes)
        return found

    @guarded
    def stat(self, path):
        return SFTPAttributes.from_stat(os.stat(place(path)))

    @guarded
    def lstat(self, path):
        return SFTPAttributes.from_stat(os.lstat(place(path)))

    @guarded
    def open(self, path, flags, attr):
        mode = attr.st_mode if attr is not None and attr.st_mode is not None else 0o666
        fd = os.open(place(path), flags, mode)
        handle = Handle(flags)
        handle.filename = place(path)
        if flags & os.O_WRONLY:
            handle.writefile = os.fdopen(fd, "wb")
        else:
            handle.readfile = os.fdopen(fd, "rb")
        return handle

    @guarded
    def mkdir(self, path, attr):
        os.mkdir(place(path))
        if attr is not None:
            SFTPServer.set_file_attr(place(path), attr)
        return paramiko.SFTP_OK

    @guarded
    def chattr(self, path, attr):
        SFTPServer.set_file_attr(place(path), attr)
        return paramiko.SFTP_OK


class Doors(paramiko.ServerInterface):
    def __init__(self, keys):
        self.keys = keys

    def get_allowed_auths(self, username):
        return "publickey"

    def check_auth_publickey(self, username, key):
        return paramiko.AUTH_SUCCESSFUL if key.get_base64() in self.keys else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, number):
        return paramiko.OPEN_SUCCEEDED if kind == "session" else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED


def main():
    global ROOT
    port, ROOT, host_key, authorized = int(sys.argv[1]), sys.argv[2], paramiko.Ed25519Key(filename=sys.argv[3]), sys.argv[4]
    with open(authorized) as f:
        keys = [line.split()[1] for line in f if line.strip() and not line.startswith("#")]
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(16)
    transports = []
    while True:
        transport = paramiko.Transport(listener.accept()[0])
        transports.append(transport)
        transport.add_server_key(host_key)
        transport.set_subsystem_handler("sftp", SFTPServer, Files)
        threading.Thread(target=lambda: transport.start_server(server=Doors(keys)), daemon=True).start()


main()
