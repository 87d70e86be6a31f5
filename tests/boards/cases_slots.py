"""The table of slots of a board's main.c is checked when the board is built: mk/check_slots.c."""
import os
import re

from lib import files
from cases import case
import machine

WRONG = {       # what is changed in main.c's text: what the build says
    r"(slot-b.*first = )\d+": (r"\g<1>9", "slot-b: pages"),                              # in slot-a
    r"(boot.*first = )\d+": (r"\g<1>255", "boot: pages"),                                # its second page is behind the flash
    r"(boot.*pages = )2": (r"\g<1>1", "boot: pages"),                                    # one copy
    r"(authorized_keys.*)CONFIG": (r"\1FIRMWARE", "authorized_keys: is of another kind"),
    r"(hostkey.*), .hidden = true": (r"\1", "hostkey: must be hidden"),
    r"(authorized_keys.*\d)}": (r"\1, .hidden = true}", "authorized_keys: must not be hidden"),
    r'"hostkey"': ('"otherkey"', "hostkey: is missing"),
    r'running = "slot-a"': ('running = "slot-c"', "slot-c: is said to run"),
    r'"slot-b"': ('"slot-a"', "slot-a: pages"),                                          # the same name twice
}


def check(t, entry, text, name):
    folder = t.path(name)
    os.mkdir(folder)
    files.write(os.path.join(folder, "main.c"), text)
    return t.run(["make", "-C", machine.TOP, "BOARD=" + entry[1], "DIRS_program=" + folder, "B=" + folder, os.path.join(folder, "slots.checked")])


@case("a table of slots that cannot work ends the build")
def tables(t, entry):
    with open(os.path.join(machine.TOP, "boards", entry[1], "main.c")) as f:
        good = f.read()
    t.ok(check(t, entry, good, "good"))
    for i, (pattern, (to, words)) in enumerate(WRONG.items()):
        bad, count = re.subn(pattern, to, good, count=1)
        t.check(count == 1, "main.c has no %s" % pattern)
        result = check(t, entry, bad, "bad%d" % i)
        t.check(result.rc != 0, "nobody minds that %s" % pattern)
        t.says(result, words)
