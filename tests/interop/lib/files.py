"""Makes files and trees, and compares them byte by byte."""
import os
import random
import stat

from .proc import Failure

CHUNK = 1 << 20
SIZES = (("empty file", 0), ("1 byte", 1), ("32 KiB - 1", 32767), ("32 KiB", 32768), ("32 KiB + 1", 32769))


def blob(size, seed=1):
    return random.Random(seed).randbytes(size)


def write(path, data, mode=None, owner=None):
    data = data.encode() if isinstance(data, str) else data
    with open(path, "wb") as f:
        f.write(data)
    if mode is not None:
        os.chmod(path, mode)
    if owner is not None:
        os.chown(path, owner, owner)
    return path


def read(path):
    with open(path, "rb") as f:
        return f.read()


def big(path, size):
    if not os.path.exists(path):
        source = random.Random(2)
        with open(path, "wb") as f:
            for _ in range(size // CHUNK):
                f.write(source.randbytes(CHUNK))
            f.write(source.randbytes(size % CHUNK))
        os.chmod(path, 0o644)
    return path


def same(path, expected):
    """Two files hold the same bytes."""
    for p in (path, expected):
        if not os.path.isfile(p) or os.path.islink(p):
            raise Failure("no file %s" % show(p))
    if os.path.getsize(path) != os.path.getsize(expected):
        raise Failure("%s has %d bytes instead of %d" % (show(path), os.path.getsize(path), os.path.getsize(expected)))
    with open(path, "rb") as a, open(expected, "rb") as b:
        at = 0
        while True:
            x, y = a.read(CHUNK), b.read(CHUNK)
            if x != y:
                first = next(i for i in range(min(len(x), len(y)) + 1) if x[i:i + 1] != y[i:i + 1])
                raise Failure("%s differs from byte %d on" % (show(path), at + first))
            if not x:
                return
            at += len(x)


def holds(path, data):
    """A file holds these bytes."""
    if not os.path.isfile(path):
        raise Failure("no file %s" % show(path))
    found = read(path)
    data = data.encode() if isinstance(data, str) else data
    if found != data:
        raise Failure("%s holds %s instead of %s" % (show(path), brief(found), brief(data)))


def only(folder, *names):
    """A folder holds exactly these names: no temporary file, no debris."""
    found = sorted(os.listdir(os.fsencode(folder)))
    expected = sorted(os.fsencode(n) for n in names)
    if found != expected:
        raise Failure("%s holds %r instead of %r" % (show(folder), found[:10], expected[:10]))


def listing(top):
    """Relative path -> lstat, as bytes, of everything below."""
    top = os.fsencode(top)
    found = {}
    for folder, dirs, names in os.walk(top):
        for name in dirs + names:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, top)] = os.lstat(path)
    return found


def as_it_is(path):
    return path


def same_tree(tree, expected, modes=False, times=False, arrives=as_it_is):
    """`tree` holds what `expected` holds and nothing more; `arrives` says under which name something is expected."""
    found = listing(tree)
    wanted = {arrives(path): (path, info) for path, info in listing(expected).items()}
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise Failure("%d of %d missing, such as %r" % (len(missing), len(wanted), missing[:3]))
    extra = sorted(set(found) - set(wanted))
    if extra:
        raise Failure("%d not asked for, such as %r" % (len(extra), extra[:3]))
    for path, (source, info) in wanted.items():
        here = found[path]
        if stat.S_IFMT(here.st_mode) != stat.S_IFMT(info.st_mode):
            raise Failure("%r is of another type" % path)
        if stat.S_ISREG(info.st_mode):
            same(os.path.join(os.fsencode(tree), path), os.path.join(os.fsencode(expected), source))
        if modes:
            same_mode(path, here, info)
        if times:
            same_times(path, here, info)


def same_mode(path, here, info):
    if (here.st_mode ^ info.st_mode) & 0o7777:
        raise Failure("mode of %s is %o instead of %o" % (show(path), here.st_mode & 0o7777, info.st_mode & 0o7777))


def same_times(path, here, info):
    """Of a file; whole seconds, as the protocol carries them. Reading a directory may change its access time, so that is not asked."""
    if int(here.st_mtime) != int(info.st_mtime):
        raise Failure("modification time of %s is %d instead of %d" % (show(path), here.st_mtime, info.st_mtime))


def show(path):
    return os.fsdecode(os.path.basename(path.rstrip(b"/" if isinstance(path, bytes) else "/"))).encode(errors="backslashreplace").decode()


def brief(data):
    return "%d bytes" % len(data) if len(data) > 60 else repr(data)


# ---- odd names

ODD = [
    b"plain", b"with space", b" leading", b"trailing ", b"two  spaces", b" ", b"'single'", b"'", b'"double"', b'"', b"`backtick`", b"$HOME",
    b"$(touch pwned)", b"`touch pwned`", b";touch pwned", b"a&b", b"a|b", b"<in", b">out", b"(paren)", b"-dash", b"-rf", b"-", b"--", b"--help",
    b"*", b"?", b"[a-z]", b"[", b"]", b"{a,b}", b"~", b"~root", b"#hash", b"!bang", b"^", b"=", b"%s%n%d", b"back\\slash", b"\\", b"\\n",
    b"trailing\\", b"tab\there", b"\x01\x02", b"\x1b[31mred\x1b[0m", b"\x07bell", b"\r", b"\x7f", b"a:b", b"host:path", b"user@host", b"[::1]:x",
    b".hidden", b"..dots", b"...", b".. ", "\u00fcml\u00e4ut".encode(), "u\u0308".encode(), "\u65e5\u672c\u8a9e".encode(),
    "\U0001f41f".encode(), b"\xff\xfelatin", b"\xc3", b"n" * 255, "\u00e9".encode() * 127, b"C0644 5 x", b"T0 0 0 0", b"E", b"D0755 0 d",
]
NEWLINE = [b"new\nline", b"\n", b"end\n", b"\nstart", b"two\n\nlines", b"back\\slash\nnewline", b"C0644 1 x\nC0644 1 y"]
FOLDERS = [b"", b"sub", b"a folder", b"-r -p", b"'q\"", b"\\\\", b"**", "\u65e5\u672c".encode(), b"deep/1/2/3/4/5/6/7/8/9/10", b"$(x)", b"..x",
           b"empty/inside", b"end ", b"\xfe", b";", b"d" * 255]


def newline_arrives(path):
    """SCP's records end at a newline, so OpenSSH sends such a name in the notation of vis(3): \\^J, and a backslash doubled."""
    folder, name = os.path.split(path)
    if b"\n" in name:
        name = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\^J")
    return os.path.join(folder, name)


def odd_tree(top, count=1000, newlines=True):
    """`count` files in folders that are named no better than they are; contents of 0 to 9 KiB, all different."""
    top = os.fsencode(top)
    source = random.Random(3)
    names = ODD + (NEWLINE if newlines else [])
    os.mkdir(top)
    for folder in FOLDERS[1:]:
        os.makedirs(os.path.join(top, folder))
    os.mkdir(os.path.join(top, b"empty/too"))
    assert len(names) * len(FOLDERS) >= count
    for made in range(count):
        folder, name = FOLDERS[made // len(names)], names[made % len(names)]
        write(os.path.join(top, folder, name), source.randbytes(source.choice((0, 1, 100, 1000, 4096, 9000))) + b"%d" % made)
    os.chmod(top, 0o755)
    return top
