"""What a case is, and how cases are run."""
import os
import re
import shutil
import time
import traceback

from . import sandbox
from .proc import Failure, Process, eventually, run

CASES = []
CRASH = re.compile(rb"ERROR: \w+Sanitizer|runtime error: |stack smashing detected")     # with DORY=build/posix-asan/dory


class Case:
    def __init__(self, name, work):
        self.name, self.work = name, work
        self.module = None          # the file that it stands in


def case(name):
    """@case("name") declares a case: a function of one argument, the Test."""
    def declare(work):
        add(name, work)
        return work
    return declare


def add(name, work):
    assert name not in [c.name for c in CASES], name
    CASES.append(Case(name, work))


def select(words):
    return [c for c in CASES if not words or any(w in c.name for w in words)]


class Test:
    """What a running case works with: the lab (servers, keys), a fresh directory, and assertions."""

    def __init__(self, lab, number):
        self.lab = lab
        self.name = "t%d" % number                                  # the case's folder, here and at each server
        self.dir = os.path.join(sandbox.BASE, "work", self.name)    # local files
        self.heard = []                                             # results of everything that ran
        self.endings = []
        os.makedirs(self.dir)
        os.chmod(self.dir, 0o777)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def at_end(self, work, *args):
        self.endings.append((work, args))

    def finish(self):
        for work, args in reversed(self.endings):
            work(*args)
        shutil.rmtree(self.dir, ignore_errors=True)

    # ---- running

    def run(self, argv, **how):
        try:
            return self.hear(run(argv, **how))
        except Failure as e:
            for result in e.args[1:]:
                self.hear(result)
            raise

    def start(self, argv, **how):
        process = Process(argv, **how)
        self.at_end(process.kill)
        return process

    def end(self, process, **how):
        try:
            return self.hear(process.wait(**how))
        except Failure as e:
            for result in e.args[1:]:
                self.hear(result)
            raise

    def hear(self, result):
        self.heard.append(result)
        if CRASH.search(result.out + result.err):
            raise Failure("a sanitizer has reported: %s" % last_line(result))
        return result

    # ---- assertions

    def fail(self, why):
        raise Failure(why)

    def check(self, condition, why):
        if not condition:
            raise Failure(why)

    def ok(self, result):
        """It ended well; returns the result."""
        if result.rc != 0:
            raise Failure("status %s instead of 0: %s" % (result.rc, last_line(result)))
        return result

    def fails(self, result, *words):
        """It ended with a failure of its own, not by a signal, and said each of the words (a tuple: one of them)."""
        if result.rc == 0:
            raise Failure("status 0 where a failure was due")
        if result.rc < 0 or result.rc > 255:
            raise Failure("ended by signal %d" % -result.rc)
        return self.says(result, *words)

    def says(self, result, *words):
        text = result.text.lower()
        for word in words:
            choice = word if isinstance(word, tuple) else (word,)
            if not any(w.lower() in text for w in choice):
                raise Failure("no word of %s in: %s" % (" or ".join(map(repr, choice)), last_line(result)))
        return result

    def eventually(self, condition, what):
        return eventually(condition, what)


def last_line(result):
    lines = [x for x in (result.err or result.out).decode("utf-8", "backslashreplace").splitlines() if x.strip()]
    return " / ".join(lines[-3:]) if lines else "(nothing was said)"


def run_all(chosen, dory, keep, table=None):
    """table: where docs/INTEROP.md is written, after a run of everything."""
    from .lab import Lab
    shutil.rmtree(keep, ignore_errors=True)
    os.makedirs(keep)
    lab = Lab(dory)
    passed, failed, results = 0, [], []
    slow = open(os.path.join(keep, "seconds"), "w")     # to see what the suite spends its time on; nothing is decided by it
    for number, c in enumerate(chosen, 1):
        why, trace, begun = None, "", time.monotonic()
        test = Test(lab, number)
        try:
            lab.begin()
            try:
                c.work(test)
            finally:
                test.finish()
            lab.check()
        except Failure as e:
            why = e.args[0]
            trace = traceback.format_exc()
        except Exception as e:
            why = "%s: %s" % (type(e).__name__, e)
            trace = traceback.format_exc()
        print("%6.1f s  %s" % (time.monotonic() - begun, c.name), file=slow, flush=True)
        results.append((c, why is None))
        if why is None:
            passed += 1
            print("ok - %s" % c.name, flush=True)
        else:
            failed.append(c.name)
            why = "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(why.split()))
            print("not ok - %s: %s" % (c.name, why), flush=True)
            report(keep, c.name, why, trace, test, lab)
    lab.close()
    if table:
        from . import table as tables
        tables.write(table, results)
    print("%d passed, %d failed" % (passed, len(failed)), flush=True)
    return 1 if failed else 0


def report(keep, name, why, trace, test, lab):
    with open(os.path.join(keep, re.sub(r"[^\w.+-]+", "_", name) + ".log"), "w", encoding="utf-8", errors="backslashreplace") as f:
        f.write("%s\n%s\n\n%s\n" % (name, why, trace))
        for result in test.heard:
            f.write("%s\n" % result)
        for label, log in lab.said():
            f.write("\n==== %s\n%s" % (label, log))
