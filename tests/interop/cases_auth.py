"""How `dory scp` logs in: ssh-agent, the order of keys, several methods in a row, questions of the server."""
import os
import re

import paramiko

from lib import files, sandbox
from lib.auth import (Agent, FalseAgent, arrived, asking, at_terminal, blob_of, expect_order, fetch, make_key, offered, prints, sshd, text)
from lib.case import case
from lib.paramiko_server import ParamikoServer

KEY_TYPES = (("ed25519", ()), ("ecdsa", ("-b", "256")), ("ecdsa", ("-b", "384")), ("ecdsa", ("-b", "521")), ("rsa", ("-b", "2048")))
PAM = ["UsePAM yes", "KbdInteractiveAuthentication yes"]


# ---- keys and agents

@case("dory to sshd: auth: keys of every type in ssh-agent")
def agent_types(t):
    keys = [make_key(t, "k%d" % i, kind, flags) for i, (kind, flags) in enumerate(KEY_TYPES)]
    server = sshd(t, *keys)
    for key in keys:
        agent = Agent(t, key)
        expect_order(t, arrived(t, fetch(t, server, agent.env)), key)
        agent.process.kill()
        os.remove(agent.socket)


@case("dory to dropbear: auth: ssh-agent, which takes rsa-sha2-256 alone")
def agent_dropbear(t):
    keys = [make_key(t, "ed"), make_key(t, "rsa", "rsa", ("-b", "2048"))]
    server = t.lab.server("dropbear")
    home = os.path.join(sandbox.home(), ".ssh", "authorized_keys")
    before = files.read(home)
    t.at_end(lambda: files.write(home, before, mode=0o644, owner=sandbox.UID))
    for key in keys:
        files.write(home, t.lab.public(key) + "\n", mode=0o644, owner=sandbox.UID)
        agent = Agent(t, key)
        expect_order(t, arrived(t, fetch(t, server, agent.env)), key)       # once: rsa-sha2-512 was not tried
        agent.process.kill()
        os.remove(agent.socket)


@case("dory to sshd: auth: the order of keys: the agent's that -i names, the agent's others, files")
def order(t):
    a, b, c, d = (make_key(t, n) for n in "abcd")
    server = sshd(t, d)
    agent = Agent(t, a, b, c)
    named = [b, d]
    got = expect_order(t, arrived(t, fetch(t, server, agent.env, key=named)), b, a, c, d)
    t.check([x[2] != "" for x in got] == [True, True, True, False], "from the agent: %r" % got)
    t.check([x[1] != "" for x in got] == [True, False, False, True], "explicit: %r" % got)
    expect_order(t, arrived(t, fetch(t, server, agent.env, key=named, options=["IdentitiesOnly=yes"])), b, d)
    expect_order(t, arrived(t, fetch(t, server, key=named)), b, d)
    for none in ("IdentityAgent=none", "IdentityAgent=" + t.path("nobody")):
        expect_order(t, arrived(t, fetch(t, server, agent.env, key=named, options=[none])), b, d)
    expect_order(t, arrived(t, fetch(t, server, {"OTHER": agent.socket}, key=named, options=["IdentityAgent=$OTHER"])), b, a, c, d)
    expect_order(t, arrived(t, fetch(t, server, key=named, options=["IdentityAgent=~/agent"])), b, a, c, d)
    expect_order(t, arrived(t, fetch(t, server, agent.env, key=named, options=["IdentityAgent=SSH_AUTH_SOCK"])), b, a, c, d)
    t.fails(fetch(t, server, agent.env, options=["PubkeyAuthentication=no"]), "Permission denied (publickey")


@case("auth: ssh and dory scp offer the same keys in the same order")
def same_as_ssh(t):
    keys = [make_key(t, n) for n in "abcde"]
    stranger = make_key(t, "stranger")
    home = t.path("home")
    os.makedirs(home + "/.ssh")
    server = sshd(t, stranger, config=["MaxAuthTries 20"])
    agent = Agent(t, *keys[:3])
    for more in ([], ["-i", keys[1]], ["-i", keys[3]], ["-i", keys[4], "-i", keys[0]], ["-i", keys[2] + ".pub"],
                 ["-o", "IdentitiesOnly=yes", "-i", keys[2]],
                 ["-o", "IdentitiesOnly=yes", "-i", keys[1] + ".pub"], ["-i", keys[0], "-i", keys[0]], ["-o", "IdentityFile=" + keys[3]]):
        argv = ["-v", "-F", "none", "-o", "UserKnownHostsFile=" + server.known, "-o", "BatchMode=yes"] + more
        theirs = t.run(["ssh", "-p", str(server.port)] + argv + ["%s@127.0.0.1" % sandbox.USER], env=dict(agent.env, HOME=home))
        argv[1:3] = []
        ours = t.run([t.lab.dory, "scp", "-P", str(server.port)] + argv + ["%s@127.0.0.1:x" % sandbox.USER, t.path("x")],
                     env=dict(agent.env, HOME=home))
        t.check(offered(ours) == offered(theirs), "with %r ssh offers %r, dory %r" % (more, offered(theirs), offered(ours)))


@case("auth: -i KEY.pub chooses the agent's key; without its agent it is said")
def public_half(t):
    a, b = make_key(t, "a"), make_key(t, "b")
    server = sshd(t, b)
    agent = Agent(t, a, b)
    os.rename(b, t.path("elsewhere"))
    expect_order(t, arrived(t, fetch(t, server, agent.env, key=b + ".pub", options=["IdentitiesOnly=yes"])), b)
    expect_order(t, arrived(t, fetch(t, server, agent.env, key=b + ".pub")), b)
    t.fails(fetch(t, server, key=b + ".pub"), b + ".pub", "public key", "agent")


@case("auth: an encrypted key file whose key the agent holds is not opened")
def encrypted_in_agent(t):
    key = make_key(t, "locked", passphrase="secret")
    server = sshd(t, key)
    plain = t.path("plain")
    files.write(plain, files.read(key), mode=0o600)
    t.ok(t.run(["ssh-keygen", "-q", "-p", "-P", "secret", "-N", "", "-f", plain]))
    agent = Agent(t, plain)
    result = arrived(t, fetch(t, server, agent.env, key=key))
    t.check("passphrase" not in result.text, "it asked: " + result.text)


@case("auth: identity files that are missing: one that was named is warned of, defaults are not")
def missing(t):
    key = make_key(t)
    server = sshd(t, key)
    result = arrived(t, fetch(t, server, key=[t.path("gone"), key]))
    t.says(result, "Warning: Identity file %s not accessible: No such file or directory." % t.path("gone"))
    result = arrived(t, fetch(t, server, options=["IdentityFile=" + t.path("gone"), "IdentityFile=" + key]))
    t.says(result, "no such identity: %s: No such file or directory" % t.path("gone"))
    home = t.path("home")
    os.makedirs(home + "/.ssh")
    os.rename(key, home + "/.ssh/id_ed25519")
    result = arrived(t, fetch(t, server, home=home))
    t.check("accessible" not in result.text and "id_rsa" not in result.text, "it speaks of defaults: " + result.text)


@case("auth: an agent that is empty, locked, refuses, or died")
def poor_agents(t):
    key, other = make_key(t), make_key(t, "other")
    server = sshd(t, key)
    agent = Agent(t, env={"SSH_ASKPASS": "/bin/false", "DISPLAY": None})
    arrived(t, fetch(t, server, agent.env, key=key))                # empty
    agent.add(key, "-c")
    result = t.fails(fetch(t, server, agent.env, key=key), "signing failed", "agent refused operation", "denied")
    t.check("does not take the key" not in result.text, result.text)
    files.write(t.path("word"), "#!/bin/sh\necho word\n", mode=0o755)
    lock = dict(agent.env, SSH_ASKPASS=t.path("word"), SSH_ASKPASS_REQUIRE="force")
    t.ok(t.run(["ssh-add", "-x"], env=lock))
    result = arrived(t, fetch(t, server, agent.env, key=key))       # locked: the file is used
    t.check("refused" not in result.text, result.text)
    t.ok(t.run(["ssh-add", "-X"], env=lock))
    agent.process.kill()
    t.check(os.path.exists(agent.socket), "the dead agent's socket is gone")
    result = arrived(t, fetch(t, server, agent.env, key=key))
    t.check(result.err.count(b"no ssh-agent listens") == 1, result.text)
    t.fails(fetch(t, server, agent.env, key=other), "denied")


@case("auth: a key that ssh-add -h bound to a host: the agent refuses, the next one is tried")
def bound_key(t):
    bound, key = make_key(t, "bound"), make_key(t)
    server = sshd(t, bound, key)
    agent = Agent(t, bound, flags=("-H", server.known, "-h", "[127.0.0.1]:%d" % server.port))
    t.says(arrived(t, fetch(t, server, agent.env, key=[bound, key])), "agent refused operation")


@case("auth: a hostile agent costs a message, and the next key is tried")
def hostile_agents(t):
    key = make_key(t)
    server = sshd(t, key)
    listing = text(b"\x0c" + (1).to_bytes(4, "big") + text(blob_of(t, key)) + text(b"\x1b[31mred"))
    for what, words, answers in (
            ("a count without keys", "nonsense", [text(b"\x0c\xff\xff\xff\xff")]),
            ("4 GiB", "nonsense", [b"\xff\xff\xff\xff\x0c"]),
            ("another type", "nonsense", [text(b"\x0e\0\0\0\0")]),
            ("a hang-up", "hung up", []),
            ("a failure", "refused operation", [text(b"\x05")]),
            ("a hang-up at the signature", "hung up", [listing]),
            ("nonsense at the signature", "nonsense", [listing, text(b"\x0e\xff\xff\xff\xff")])):
        agent = FalseAgent(t, *answers)
        result = arrived(t, fetch(t, server, agent.env, key=key))
        t.check(words in result.text, "%s: %r was not said in %s" % (what, words, result.text))
    wrong = text(b"\x0e" + text(text(b"ssh-ed25519") + text(bytes(64))))
    result = t.fails(fetch(t, server, FalseAgent(t, listing, wrong).env, key=key), "denied")
    t.check(b"\x1b" not in result.err, "the agent commands the terminal")


@case("auth: an agent that signs RSA with SHA-1 gets no signature through")
def agent_sha1(t):
    key = make_key(t, "rsa", "rsa", ("-b", "2048"))
    server = sshd(t, key)
    listing = text(b"\x0c" + (1).to_bytes(4, "big") + text(blob_of(t, key)) + text(b"old"))
    flags = []

    def sign(question):
        flags.append(question[-4:])
        return text(b"\x0e" + text(text(b"ssh-rsa") + text(bytes(256))))
    result = fetch(t, server, FalseAgent(t, listing, sign).env, options=["IdentitiesOnly=no"])
    t.fails(result, "ssh-rsa instead of rsa-sha2-512", "denied")
    t.check(flags == [b"\0\0\0\4"], "flags were %r" % flags)


@case("dory to sshd: auth: PubkeyAcceptedAlgorithms and RSA keys that are too short")
def algorithms(t):
    ed, rsa, short = make_key(t, "ed"), make_key(t, "rsa", "rsa", ("-b", "2048")), make_key(t, "short", "rsa", ("-b", "1024"))
    server = sshd(t, ed, rsa, short, level="DEBUG1")
    agent = Agent(t, ed, rsa, short)
    for options, taken, by in (((), ed, "ssh-ed25519"), (["PubkeyAcceptedAlgorithms=-ssh-ed25519"], rsa, "rsa-sha2-512"),
                               (["PubkeyAcceptedAlgorithms=rsa-sha2-256"], rsa, "rsa-sha2-256"),
                               (["PubkeyAcceptedAlgorithms=^rsa-sha2-256"], ed, "ssh-ed25519")):
        mark = len(server.whole_log())
        expect_order(t, arrived(t, fetch(t, server, agent.env, options=options)), taken)
        t.eventually(lambda: "Accepted publickey" in server.whole_log()[mark:], "the login in the log")
        t.check("publickey test pkalg %s " % by in server.whole_log()[mark:], "%s was not asked for" % by)
    result = t.fails(fetch(t, server, agent.env, options=["PubkeyAcceptedAlgorithms=ecdsa-sha2-nistp256"]), "denied")
    t.check(not offered(result), "offered %r" % offered(result))
    os.remove(agent.socket)
    t.fails(fetch(t, server, Agent(t, short).env), "denied", "no mutual signature algorithm")


# ---- questions: passwords and keyboard-interactive

@case("dory to sshd: auth: keyboard-interactive with PAM, at a terminal")
def pam_terminal(t):
    server = t.lab.fresh(t, "sshd", before=PAM)
    terminal = at_terminal(t, server)
    terminal.expect("(marlin@127.0.0.1) Password: ")
    terminal.send(sandbox.PASSWORD + "\r")
    arrived(t, t.hear(terminal.end()))
    t.check(sandbox.PASSWORD.encode() not in terminal.seen, "the password was shown")
    t.eventually(lambda: "Accepted keyboard-interactive" in server.whole_log(), "the login in sshd's log")


@case("dory to sshd: auth: keyboard-interactive three times, then passwords three times, as ssh does")
def pam_wrong(t):
    server = t.lab.fresh(t, "sshd", before=PAM + ["MaxAuthTries 20"])
    terminal = at_terminal(t, server, "PubkeyAuthentication=no")
    for prompt in ["(marlin@127.0.0.1) Password: "] * 3 + ["marlin@127.0.0.1's password: "] * 3:
        terminal.expect(prompt)
        terminal.send("wrong\r")
    result = t.fails(t.hear(terminal.end()), "marlin@127.0.0.1: Permission denied (publickey,password,keyboard-interactive).")
    t.check(result.rc == 255, "status %d" % result.rc)
    theirs = t.run(["ssh", "-F", "none", "-p", str(server.port), "-o", "UserKnownHostsFile=" + server.known, "-o", "PubkeyAuthentication=no",
                    "marlin@127.0.0.1"], env=asking("wrong"))
    t.says(theirs, "Permission denied (publickey,password,keyboard-interactive)")
    for word in ("Failed keyboard-interactive", "Failed password"):
        count = server.whole_log().count(word)
        t.check(count == 6, "%s: %d times from both" % (word, count))


@case("auth: NumberOfPasswordPrompts, BatchMode, KbdInteractiveAuthentication and PreferredAuthentications decide what is asked")
def what_is_asked(t):
    server = t.lab.fresh(t, "sshd", before=PAM + ["MaxAuthTries 20"])
    for options, methods in ((["NumberOfPasswordPrompts=1"], ["keyboard-interactive", "password"]),
                             (["NumberOfPasswordPrompts=2", "KbdInteractiveAuthentication=no"], ["password"] * 2),
                             (["NumberOfPasswordPrompts=1", "PreferredAuthentications=password,keyboard-interactive"],
                              ["password", "keyboard-interactive"]),
                             (["NumberOfPasswordPrompts=1", "PreferredAuthentications=hostbased,gssapi-with-mic,password,password"], ["password"]),
                             (["NumberOfPasswordPrompts=1", "PasswordAuthentication=no"], ["keyboard-interactive"]),
                             (["PreferredAuthentications=gssapi-with-mic"], []),
                             (["BatchMode=yes"], [])):
        mark = len(server.whole_log())
        result = fetch(t, server, asking("wrong"), options=options + ["PubkeyAuthentication=no"], batch=False)
        t.fails(result, "Permission denied (")
        t.eventually(lambda: any(word in server.whole_log()[mark:] for word in ("Connection closed", "Disconnected")), "the end in sshd's log")
        got = re.findall(r"Failed (\S+) for marlin", server.whole_log()[mark:])
        t.check([g.split("/")[0] for g in got if g != "none"] == methods, "with %r: %r" % (options, got))


@case("dory to sshd: auth: a program in SSH_ASKPASS answers keyboard-interactive")
def interactive_askpass(t):
    server = t.lab.fresh(t, "sshd", before=PAM)
    arrived(t, fetch(t, server, asking(sandbox.PASSWORD), options=["PreferredAuthentications=keyboard-interactive"], batch=False))
    result = fetch(t, server, {"SSH_ASKPASS_REQUIRE": "never"}, options=["PubkeyAuthentication=no"], batch=False)
    t.fails(result, "no terminal", "denied")
    t.check(result.text.count("no terminal") == 1, result.text)


@case("auth: a program in SSH_ASKPASS begins as any program does: no descriptor of ours, SIGPIPE not ignored; one that is missing is named")
def askpass_is_clean(t):
    server = ParamikoServer(t, rounds=[("", "", [("Password: ", False)], ["secret"])])
    program = files.write(t.path("ask"), "#!/bin/sh\ngrep -q 'SigIgn:.*[13579bdf]...$' /proc/self/status && exit 1\n"
                          "ls -l /proc/self/fd | grep -q socket: && exit 1\necho secret\n", mode=0o755)
    arrived(t, fetch(t, server, {"SSH_ASKPASS": program, "SSH_ASKPASS_REQUIRE": "force"}, batch=False))
    t.fails(fetch(t, server, {"SSH_ASKPASS": t.path("none"), "SSH_ASKPASS_REQUIRE": "force"}, batch=False),
            t.path("none") + ": No such file", "denied")


@case("dory to paramiko: auth: several rounds of questions, none, with and without echo")
def rounds(t):
    server = ParamikoServer(t, rounds=[
        ("First", "Two questions\nare to come", [("Token: ", True), ("PIN: ", False)], ["12 34", "5678"]),
        ("", "", [], []),
        ("", "", [("Line one\nline two: ", False)], [""]),
    ])
    terminal = at_terminal(t, server)
    terminal.expect("First")
    terminal.expect(re.compile(rb"Two questions\r*\nare to come"))
    terminal.expect("(marlin@127.0.0.1) Token: ")
    terminal.send("12 34\r")
    terminal.expect("12 34")        # the terminal shows it
    terminal.expect("(marlin@127.0.0.1) PIN: ")
    terminal.send("5678\r")
    terminal.expect(re.compile(rb"\(marlin@127.0.0.1\) Line one\r*\nline two: "))
    terminal.send("\r")
    arrived(t, t.hear(terminal.end()))
    t.check(b"5678" not in terminal.seen, "the PIN was shown")
    t.check(server.script.answers == [["12 34", "5678"], [], [""]], "answers were %r" % server.script.answers)


@case("auth: questions cannot command the terminal")
def evil_prompts(t):
    server = ParamikoServer(t, rounds=[("\x1b[2Jname", "in\x07str\x9bmuction", [("\x1b]0;title\x07Word\u202e: ", False)], ["word"])])
    terminal = at_terminal(t, server)
    terminal.expect("Word")
    terminal.send("word\r")
    arrived(t, t.hear(terminal.end()))
    for bad in (b"\x1b", b"\x07", "\u202e".encode(), "\x9b".encode()):
        t.check(bad not in terminal.seen, "%r reached the terminal: %r" % (bad, terminal.seen))
    t.check(b"name" in terminal.seen and b"uction" in terminal.seen, "name and instruction are missing: %r" % terminal.seen)


@case("auth: questions without an end")
def endless(t):
    server = ParamikoServer(t, rounds=[("", "", [], [])] * 1000)
    result = fetch(t, server, options=["NumberOfPasswordPrompts=2"], batch=False)
    t.fails(result, "does not stop", "denied")
    t.check(len(server.script.answers) == 64, "%d answers" % len(server.script.answers))


@case("auth: a server that says keyboard-interactive and has no question is tried once")
def no_question(t):
    server = ParamikoServer(t, rounds=[])
    t.fails(fetch(t, server, asking("x"), batch=False), "Permission denied (keyboard-interactive)")
    t.check(server.script.attempts.count("keyboard-interactive") == 1, "attempts: %r" % server.script.attempts)


@case("auth: a host whose key has changed gets no answer, by keyboard-interactive either, where checking is off")
def changed_key(t):
    for methods in ("keyboard-interactive", "password,keyboard-interactive"):
        server = ParamikoServer(t, methods=methods, password="secret", rounds=[("", "", [("Password: ", False)], ["secret"])])
        other = t.lab.public(make_key(t, "other", "ed25519", ())).split()[:2] if methods == "keyboard-interactive" else other
        files.write(server.known, "[%s]:%d %s\n" % (server.host, server.port, " ".join(other)))
        result = fetch(t, server, asking("secret"), options=["StrictHostKeyChecking=no"], batch=False)
        t.fails(result, "HAS CHANGED", "no password will be sent", "denied")
        t.check(server.script.answers == [] and server.script.attempts == [], "it got %r by %r" % (server.script.answers, server.script.attempts))


@case("auth: a demand to change the password is refused in clear words, and no password is asked for again")
def change_password(t):
    def demand(transport):
        message = paramiko.Message()
        message.add_byte(bytes([60]))       # SSH_MSG_USERAUTH_PASSWD_CHANGEREQ
        message.add_string("Your \x1b[31mpassword has expired")
        message.add_string("")
        transport._send_message(message)
        transport.auth_handler._send_auth_result = lambda *a: None      # that was the answer
        return paramiko.AUTH_FAILED
    server = ParamikoServer(t, methods="password", password=demand)
    result = t.fails(fetch(t, server, asking("old"), batch=False), "password has expired", "log in with ssh", "denied (password)")
    t.check(b"\x1b" not in result.err, "the text came raw")
    t.check(server.script.attempts.count("password") == 1, "attempts: %r" % server.script.attempts)


# ---- several methods in a row

@case("dory to sshd: auth: AuthenticationMethods, every order of two, and three")
def methods_in_a_row(t):
    a, b = make_key(t, "a"), make_key(t, "b")
    for methods, keys in (("publickey,password", [a]), ("publickey,keyboard-interactive", [a]), ("password,publickey", [a]),
                          ("keyboard-interactive,publickey", [a]), ("publickey,publickey", [a, b]), ("publickey,publickey,password", [b, a]),
                          ("password,keyboard-interactive", [])):
        server = sshd(t, a, b, before=PAM + ["AuthenticationMethods " + methods])
        options = [] if keys else ["PubkeyAuthentication=no"]
        result = fetch(t, server, asking(sandbox.PASSWORD), key=keys, options=options, batch=False)
        t.check(result.rc == 0, "%s: %s" % (methods, result.text[-500:]))
        arrived(t, result)
        t.check(result.text.count("with partial success") == methods.count(","), "%s: %s" % (methods, result.text))
        server.stop()


@case("auth: half of what the server wants is not enough")
def half(t):
    a = make_key(t, "a")
    server = sshd(t, a, before=["AuthenticationMethods publickey,publickey"])
    result = t.fails(fetch(t, server, key=a), "partial success", "Permission denied (publickey)")
    t.check(len(offered(result)) == 1, "the key was offered %d times" % len(offered(result)))
    server = sshd(t, a, before=PAM + ["AuthenticationMethods publickey,password"])
    t.fails(fetch(t, server, key=a), "partial success", "Permission denied (password)")
    t.fails(fetch(t, server, asking("wrong"), key=a, batch=False), "please try again", "Permission denied (password)")


@case("auth: a server that is content in part for ever")
def partial_for_ever(t):
    server = ParamikoServer(t, methods="password", password=lambda transport: paramiko.AUTH_PARTIALLY_SUCCESSFUL)
    t.fails(fetch(t, server, asking("x"), options=["NumberOfPasswordPrompts=100"], batch=False), "denied")
    t.check(2 <= server.script.attempts.count("password") <= 10, "%d passwords went out" % server.script.attempts.count("password"))


@case("dory to sshd: auth: MaxAuthTries ends it in its words, with scp's exit status")
def max_auth_tries(t):
    keys = [make_key(t, "k%d" % i) for i in range(8)]
    server = sshd(t, t.lab.key, config=["MaxAuthTries 3"])
    agent = Agent(t, *keys)
    result = t.fails(fetch(t, server, agent.env), "Received disconnect from 127.0.0.1 port %d:2: Too many authentication failures" % server.port)
    t.check(2 <= len(offered(result)) <= 3, "%d keys were offered" % len(offered(result)))
    t.says(result, "%d keys were offered; -o IdentitiesOnly=yes" % len(offered(result)))
    for flags in ([], ["-O"]):
        theirs = t.run(["scp", "-F", "none", "-P", str(server.port)] + flags + ["-o", "BatchMode=yes", "-o", "UserKnownHostsFile=" + server.known,
                                                                                "marlin@127.0.0.1:x", t.path("x")], env=agent.env)
        ours = fetch(t, server, agent.env, flags=flags)
        t.check(ours.rc == theirs.rc, "status %d, scp's %d" % (ours.rc, theirs.rc))


# ---- key files

@case("dory to sshd: auth: key files of every type, named and as defaults")
def key_files(t):
    home = t.path("home")
    os.makedirs(home + "/.ssh")
    keys = [make_key(t, "home/.ssh/id_" + kind, kind, flags) for kind, flags in (("rsa", ("-b", "2048")), ("ecdsa", ("-b", "256")), ("ed25519", ()))]
    for key in keys:
        server = sshd(t, key)
        expect_order(t, arrived(t, fetch(t, server, key=key)), key)
        expect_order(t, arrived(t, fetch(t, server, home=home)), *keys[:keys.index(key) + 1])
        server.stop()


@case("dory to sshd: auth: a passphrase is asked for once the server takes the key, and for no other")
def passphrases(t):
    a, b = make_key(t, "a", "rsa", ("-b", "2048")), make_key(t, "b", "ecdsa", ("-b", "256"))
    server = sshd(t, b)
    for key in (a, b):
        t.ok(t.run(["ssh-keygen", "-q", "-p", "-m", "PEM", "-P", "", "-N", "secret", "-f", key]))
        t.check(b"ENCRYPTED" in files.read(key), "%s is not encrypted" % key)
    server.folder(t)
    terminal = at_terminal(t, server, "IdentityFile=" + a, "IdentityFile=" + b)
    for word in ("wrong", "secret"):
        terminal.expect("Enter passphrase for key '%s': " % b)
        terminal.send(word + "\r")
    arrived(t, t.hear(terminal.end()))
    t.check(a.encode() not in terminal.seen, "it asked for the other key: %r" % terminal.seen)
    result = t.fails(fetch(t, server, key=b), b, "protected by a passphrase", "denied")
    t.check(result.text.count("protected by a passphrase") == 1, "it was said more than once")
    arrived(t, fetch(t, server, asking("secret"), key=b, batch=False))


@case("dory to sshd: auth: certificates that ssh-agent holds")
def certificates(t):
    authority = make_key(t, "authority")
    for kind, flags in (("ed25519", ()), ("ecdsa", ("-b", "521")), ("rsa", ("-b", "3072"))):
        key = make_key(t, kind, kind, flags)
        t.ok(t.run(["ssh-keygen", "-q", "-s", authority, "-I", "marlin's", "-n", sandbox.USER, key + ".pub"]))
        trusted = files.write(os.path.join(t.lab.keys, "ca." + t.name), t.lab.public(authority) + "\n", mode=0o644)
        server = sshd(t, config=["TrustedUserCAKeys " + trusted])
        agent = Agent(t, key)
        result = arrived(t, fetch(t, server, agent.env))
        t.check(len(offered(result)) == 2, "offered %r" % offered(result))      # the plain key first, as the agent lists them
        t.fails(fetch(t, server, key=key), "denied")
        agent.process.kill()
        os.remove(agent.socket)
        server.stop()


@case("dory to sshd: auth: the banner is on standard error, escaped, and not with -q or LogLevel=ERROR")
def banner(t):
    server = sshd(t, t.lab.key, config=["Banner " + files.write(t.path("banner"), b"Only\x1b[31m for\r\nfriends\n", mode=0o644)])
    result = arrived(t, fetch(t, server, key=t.lab.key))
    t.check(b"Only\\033[31m for\nfriends\n" in result.err and b"Only" not in result.out, "%r" % result.err)
    for flags, options in ((["-q"], []), ([], ["LogLevel=ERROR"]), ([], ["LogLevel=QUIET"])):
        result = arrived(t, fetch(t, server, key=t.lab.key, flags=flags, options=options, verbose=False))
        t.check(b"friends" not in result.err, "%r %r: %r" % (flags, options, result.err))
