"""paramiko as a server whose questions are scripted: the client gets in when it has answered them all. Commands run in a shell of the test user."""
import socket
import subprocess
import threading

import paramiko

from . import sandbox
from .servers import free_port


class Script(paramiko.ServerInterface):
    """methods: what get_allowed_auths says; rounds: a list of (name, instructions, [(prompt, echo), ...], [answer, ...]).
    password: the one that is right, or a function of the transport. partial: the method that succeeds in part, first.
    told: lists of further host keys, each told in a message of its own when a command begins, and proved to who asks."""

    def __init__(self, methods="keyboard-interactive", rounds=(), password=None, transport=None, told=()):
        self.methods, self.rounds, self.password, self.transport = methods, list(rounds), password, transport
        self.told = told
        self.round, self.answers, self.attempts = 0, [], []

    def get_allowed_auths(self, username):
        return self.methods

    def ask(self):
        name, instructions, prompts, _ = self.rounds[self.round]
        query = paramiko.InteractiveQuery(name, instructions)
        for prompt, echo in prompts:
            query.add_prompt(prompt, echo)
        return query

    def check_auth_interactive(self, username, submethods):
        self.attempts.append("keyboard-interactive")
        self.round = 0
        return self.ask() if self.rounds else paramiko.AUTH_FAILED

    def check_auth_interactive_response(self, responses):
        self.answers.append(list(responses))
        if list(responses) != self.rounds[self.round][3]:
            return paramiko.AUTH_FAILED
        self.round += 1
        return self.ask() if self.round < len(self.rounds) else paramiko.AUTH_SUCCESSFUL

    def check_auth_password(self, username, password):
        self.attempts.append("password")
        if callable(self.password):
            return self.password(self.transport)
        return paramiko.AUTH_SUCCESSFUL if password == self.password else paramiko.AUTH_FAILED

    def check_auth_publickey(self, username, key):
        self.attempts.append("publickey")
        return paramiko.AUTH_FAILED

    def check_channel_request(self, kind, number):
        return paramiko.OPEN_SUCCEEDED if kind == "session" else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_global_request(self, kind, message):
        proofs = []
        while kind == "hostkeys-prove-00@openssh.com" and message.get_remainder():
            blob, said = message.get_string(), paramiko.Message()
            for part in (kind, self.transport.session_id, blob):
                said.add_string(part)
            proofs += [k.sign_ssh_data(said.asbytes()).asbytes() for keys in self.told for k in keys if k.asbytes() == blob][:1]
        return tuple(proofs) or False

    def check_channel_exec_request(self, channel, command):
        for keys in self.told:
            self.transport.global_request("hostkeys-00@openssh.com", [k.asbytes() for k in keys], wait=False)
        threading.Thread(target=run, args=(channel, command), daemon=True).start()
        return True


def run(channel, command):
    process = subprocess.Popen(["/bin/sh", "-c", command.decode()], cwd=sandbox.home(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def feed():
        while True:
            data = channel.recv(65536)
            if not data:
                break
            process.stdin.write(data)
            process.stdin.flush()
        process.stdin.close()
    threading.Thread(target=feed, daemon=True).start()
    while True:
        data = process.stdout.read1(65536)
        if not data:
            break
        channel.sendall(data)
    channel.send_exit_status(process.wait())
    channel.close()


class ParamikoServer:
    """One connection at a time; `script` is the last connection's."""
    host = "127.0.0.1"

    def __init__(self, t, **how):
        self.port = free_port()
        self.known = t.path("known.paramiko")
        key = t.lab.make_key("paramiko." + t.name + "." + str(self.port))
        with open(self.known, "w") as f:
            f.write("[%s]:%d %s\n" % (self.host, self.port, " ".join(t.lab.public(key).split()[:2])))
        self.host_key = paramiko.Ed25519Key(filename=key)
        self.how, self.script = how, None
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((self.host, self.port))
        self.listener.listen(4)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        t.at_end(self.stop)

    def stop(self):
        """The thread goes before the socket: else it might accept on whatever gets the same descriptor next."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        self.listener.close()

    def serve(self):
        while True:
            try:
                peer = self.listener.accept()[0]
            except OSError:
                return
            transport = paramiko.Transport(peer)
            transport.add_server_key(self.host_key)
            self.script = Script(transport=transport, **self.how)
            try:
                transport.start_server(server=self.script)
            except (paramiko.SSHException, EOFError):
                pass

    def folder(self, t):
        import os
        path = os.path.join(sandbox.home(), t.name)
        os.makedirs(path, exist_ok=True)
        return path
