#include "sftp_peer.h"

enum { INIT = 1, VERSION, OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT, SETSTAT, FSETSTAT, OPENDIR, READDIR, REMOVE, MKDIR, RMDIR, REALPATH, STAT };
enum { EXTENDED = 200 };
enum { OK, END, NO_SUCH_FILE, DENIED, FAILURE, UNSUPPORTED = 8 };

static const uint8_t *at;
static size_t left;

static uint32_t load(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t take32(void)
{
    uint32_t v;

    assert_true(left >= 4);
    v = load(at);
    at += 4;
    left -= 4;
    return v;
}

static uint64_t take64(void)
{
    uint64_t high = take32();

    return high << 32 | take32();
}

static size_t take_text(char *out, size_t cap)
{
    uint32_t n = take32();

    assert_true(n < cap && n <= left);
    memcpy(out, at, n);
    out[n] = '\0';
    at += n;
    left -= n;
    return n;
}

static uint8_t *store(uint8_t *p, uint32_t v)
{
    *p++ = (uint8_t)(v >> 24);
    *p++ = (uint8_t)(v >> 16);
    *p++ = (uint8_t)(v >> 8);
    *p++ = (uint8_t)v;
    return p;
}

static uint8_t *store64(uint8_t *p, uint64_t v)
{
    return store(store(p, (uint32_t)(v >> 32)), (uint32_t)v);
}

static uint8_t *store_text(uint8_t *p, const char *text)
{
    p = store(p, (uint32_t)strlen(text));
    memcpy(p, text, strlen(text));
    return p + strlen(text);
}

void sftp_peer_say(struct sftp_peer *peer, unsigned type, uint32_t id, const void *body, size_t n)
{
    uint8_t *p = peer->out + peer->out_n;

    assert_true(peer->out_n + n + 9 <= sizeof peer->out && peer->starts_n < 4096);
    peer->starts[peer->starts_n++] = peer->out_n;
    p = store(p, (uint32_t)n + 5);
    *p++ = (uint8_t)type;
    p = store(p, id);
    if (n)
        memcpy(p, body, n);
    peer->out_n += n + 9;
    if (peer->starts_n > peer->in_flight_most)
        peer->in_flight_most = peer->starts_n;
}

void sftp_peer_status(struct sftp_peer *peer, uint32_t id, unsigned code, const char *text)
{
    uint8_t body[512], *p = store_text(store(body, code), text);

    p = store_text(p, "en");
    sftp_peer_say(peer, PEER_STATUS, id, body, (size_t)(p - body));
}

/* ---- attributes */

static uint8_t *store_attrs(const struct sftp_peer *peer, uint8_t *p, int node)
{
    static const uint32_t types[] = {0, 0100000, 0040000, 0120000, 0010000};
    const struct dory_ram_node *n = &peer->ram->nodes[node];

    if (peer->bare)
        return store(store(p, 4), types[n->type]);
    p = store(p, 1 | 2 | 4 | 8);
    p = store64(p, n->size);
    p = store(store(p, n->uid), n->gid);
    p = store(p, types[n->type] | n->mode);
    return store(store(p, (uint32_t)n->atime), (uint32_t)n->mtime);
}

static void take_attrs(struct sftp_peer *peer, int node, bool apply)
{
    struct dory_ram_node none, *n = apply ? &peer->ram->nodes[node] : &none;
    uint32_t flags = take32();

    if (flags & 1) {
        uint64_t size = take64();

        assert_true(size <= n->size); /* only ever cut here */
        n->size = size;
    }
    if (flags & 2) {
        take32();
        take32();
    }
    if (flags & 4)
        n->mode = (uint16_t)(take32() & 07777);
    if (flags & 8) {
        n->atime = take32();
        n->mtime = take32();
    }
    assert_int_equal(left, 0);
}

/* ---- requests */

/* Relative to the root, "./" left out; a link, which leads to an absolute path, is followed wherever it stands. */
static int find(struct sftp_peer *peer, const char *path)
{
    char full[9002], target[1000], longer[9002];
    int node;

    while (!strncmp(path, "./", 2)) path += 2;
    snprintf(full, sizeof full, "%s%s", path[0] == '/' ? "" : "/", strcmp(path, ".") == 0 ? "" : path);
    for (size_t i = 1; full[i - 1]; i++) {
        char was = full[i];

        if (was && was != '/')
            continue;
        full[i] = '\0';
        node = dory_ram_find(peer->ram, full);
        full[i] = was;
        if (node >= 0 && peer->ram->nodes[node].type == DORY_FS_LINK) {
            target[dory_ram_content(peer->ram, node, 0, target, sizeof target - 1)] = '\0';
            snprintf(longer, sizeof longer, "%.900s%.8000s", target, full + i);
            return find(peer, longer);
        }
    }
    return dory_ram_find(peer->ram, full);
}

static void give_handle(struct sftp_peer *peer, uint32_t id, int node)
{
    uint8_t body[8];
    unsigned h = 0;

    while (peer->handles[h].used) h++;
    assert_true(h < 512);
    if (peer->limit_handles && peer->handles_open == peer->limit_handles) {
        sftp_peer_status(peer, id, FAILURE, "too many handles");
        return;
    }
    memset(&peer->handles[h], 0, sizeof peer->handles[h]);
    peer->handles[h].used = true;
    peer->handles[h].node = node;
    peer->handles[h].cursor = 1;
    if (++peer->handles_open > peer->handles_most)
        peer->handles_most = peer->handles_open;
    sftp_peer_say(peer, PEER_HANDLE, id, body, (size_t)(store(store(body, 4), h ^ 0x5a0000) - body));
}

static int take_handle(struct sftp_peer *peer)
{
    uint32_t h;

    assert_int_equal(take32(), 4);
    h = take32() ^ 0x5a0000;
    assert_true(h < 512 && peer->handles[h].used);
    return (int)h;
}

/* Is there a directory to hold this path? */
static bool has_parent(struct sftp_peer *peer, const char *path)
{
    char parent[9002];

    snprintf(parent, sizeof parent, "/%s", path);
    *strrchr(parent, '/') = '\0';
    return find(peer, parent) >= 0;
}

static void do_open(struct sftp_peer *peer, uint32_t id)
{
    char path[9000];
    uint32_t flags;
    int node;

    take_text(path, sizeof path);
    flags = take32();
    node = find(peer, path);
    if (flags & 8) {
        char full[9002];

        if (node >= 0 && peer->ram->nodes[node].type == DORY_FS_DIR) {
            sftp_peer_status(peer, id, FAILURE, "");
            return;
        }
        if (!has_parent(peer, path)) {
            sftp_peer_status(peer, id, NO_SUCH_FILE, "");
            return;
        }
        if (node < 0) {
            snprintf(full, sizeof full, "%s%s", path[0] == '/' ? "" : "/", path);
            node = dory_ram_put(peer->ram, full, DORY_FS_FILE, 0644, "", 0);
            assert_true(node >= 0);
            take_attrs(peer, node, true);
        }
        assert_int_equal(flags, 2 | 8 | 16);
        peer->ram->nodes[node].size = 0;
    } else {
        assert_int_equal(flags, 1);
        assert_int_equal(take32(), 0);
    }
    if (node < 0)
        sftp_peer_status(peer, id, NO_SUCH_FILE, "No such file");
    else if (peer->ram->nodes[node].type == DORY_FS_DIR)
        sftp_peer_status(peer, id, FAILURE, "Failure");
    else
        give_handle(peer, id, node);
}

static void do_read(struct sftp_peer *peer, uint32_t id)
{
    static uint8_t body[300000];
    int h = take_handle(peer);
    uint64_t offset = take64();
    uint32_t n = take32();
    size_t got;

    peer->read_asked += n;
    if (peer->read_most && n > peer->read_most)
        n = (uint32_t)peer->read_most;
    if (n > 262144)
        n = 262144;
    got = dory_ram_content(peer->ram, peer->handles[h].node, offset, body + 4, n);
    if (!got) {
        sftp_peer_status(peer, id, END, "End of file");
        return;
    }
    store(body, (uint32_t)got);
    sftp_peer_say(peer, PEER_DATA, id, body, got + 4);
}

static void do_write(struct sftp_peer *peer, uint32_t id)
{
    int h = take_handle(peer);
    struct dory_ram_node *node = &peer->ram->nodes[peer->handles[h].node];
    uint64_t offset = take64();
    uint32_t n = take32();
    static uint8_t whole[1 << 20];
    size_t size = (size_t)node->size;
    char path[2000] = "";

    assert_int_equal(n, left);
    if (n > peer->longest_write)
        peer->longest_write = n;
    assert_true(offset + n <= sizeof whole);
    memset(whole, 0, sizeof whole);
    dory_ram_content(peer->ram, peer->handles[h].node, 0, whole, size);
    memcpy(whole + offset, at, n);
    if (offset + n > size)
        size = (size_t)offset + n;
    for (int i = peer->handles[h].node; i; i = peer->ram->nodes[i].parent) {
        char longer[2000];

        snprintf(longer, sizeof longer, "/%.900s%.900s", peer->ram->nodes[i].name, path);
        strcpy(path, longer);
    }
    if (dory_ram_put(peer->ram, path, DORY_FS_FILE, 0, whole, size) < 0) {
        sftp_peer_status(peer, id, FAILURE, "No space left on device");
        return;
    }
    sftp_peer_status(peer, id, OK, "");
}

static void do_readdir(struct sftp_peer *peer, uint32_t id)
{
    static uint8_t body[200000];
    uint8_t *p = body + 4;
    int h = take_handle(peer);
    unsigned n = 0, most = peer->list_most ? peer->list_most : 100;

    if (!peer->handles[h].listed) {
        p = store_text(store_text(p, "."), "drwxr-xr-x");
        p = store_attrs(peer, p, peer->handles[h].node);
        p = store_text(store_text(p, ".."), "drwxr-xr-x");
        p = store_attrs(peer, p, 0);
        peer->handles[h].listed = true;
        n = 2;
    }
    for (; n < most && peer->handles[h].cursor < peer->ram->node_count; peer->handles[h].cursor++) {
        const struct dory_ram_node *node = &peer->ram->nodes[peer->handles[h].cursor];

        if (!node->type || !node->linked || node->parent != peer->handles[h].node)
            continue;
        p = store_text(p, node->name);
        p = store_text(p, "-rw-r--r--    1 user     group       12345 Jan  1 00:00 name");
        p = store_attrs(peer, p, peer->handles[h].cursor);
        n++;
    }
    if (!n) {
        sftp_peer_status(peer, id, END, "End of file");
        return;
    }
    store(body, n);
    sftp_peer_say(peer, PEER_NAME, id, body, (size_t)(p - body));
}

static void do_mkdir(struct sftp_peer *peer, uint32_t id)
{
    char path[9000], full[9002];
    int node;

    take_text(path, sizeof path);
    if (find(peer, path) >= 0 || !has_parent(peer, path)) {
        sftp_peer_status(peer, id, find(peer, path) >= 0 ? FAILURE : NO_SUCH_FILE, "Failure");
        return;
    }
    snprintf(full, sizeof full, "%s%s", path[0] == '/' ? "" : "/", path);
    node = dory_ram_put(peer->ram, full, DORY_FS_DIR, 0777, NULL, 0);
    assert_true(node >= 0);
    take_attrs(peer, node, true);
    sftp_peer_status(peer, id, OK, "");
}

static void do_stat(struct sftp_peer *peer, uint32_t id)
{
    char path[9000];
    uint8_t body[100];
    int node;

    take_text(path, sizeof path);
    node = find(peer, path);
    if (node < 0)
        sftp_peer_status(peer, id, NO_SUCH_FILE, "No such file");
    else
        sftp_peer_say(peer, PEER_ATTRS, id, body, (size_t)(store_attrs(peer, body, node) - body));
}

static void do_extended(struct sftp_peer *peer, uint32_t id)
{
    char name[100], path[9000];
    uint8_t body[9000], *p = body;

    take_text(name, sizeof name);
    if (!strcmp(name, "limits@openssh.com")) {
        p = store64(store64(p, 262144), peer->limit_read ? peer->limit_read : 261120);
        p = store64(store64(p, peer->limit_write ? peer->limit_write : 261120), peer->limit_handles);
        sftp_peer_say(peer, PEER_EXTENDED_REPLY, id, body, (size_t)(p - body));
    } else if (!strcmp(name, "expand-path@openssh.com")) {
        take_text(path, sizeof path);
        if (strcmp(path, "~") != 0) {
            sftp_peer_status(peer, id, NO_SUCH_FILE, "No such file");
            return;
        }
        p = store_text(store(p, 1), peer->home ? peer->home : "/");
        p = store(store_text(p, peer->home ? peer->home : "/"), 0);
        sftp_peer_say(peer, PEER_NAME, id, body, (size_t)(p - body));
    } else {
        sftp_peer_status(peer, id, UNSUPPORTED, "");
    }
}

static void do_setstat(struct sftp_peer *peer, uint32_t id, bool by_handle)
{
    char path[9000];
    int node;

    if (by_handle) {
        node = peer->handles[take_handle(peer)].node;
    } else {
        take_text(path, sizeof path);
        node = find(peer, path);
        for (int i = 0; i < 512 && !peer->answers && !peer->refuse; i++) /* a directory's times come after its last file */
            assert_false(peer->handles[i].used && peer->ram->nodes[peer->handles[i].node].parent == node);
    }
    take_attrs(peer, node, node >= 0);
    sftp_peer_status(peer, id, node >= 0 ? OK : NO_SUCH_FILE, "");
}

static void serve(struct sftp_peer *peer, unsigned type, uint32_t id)
{
    switch (type) {
    case OPEN: do_open(peer, id); break;
    case CLOSE:
        peer->handles[take_handle(peer)].used = false;
        peer->handles_open--;
        sftp_peer_status(peer, id, OK, "Success");
        break;
    case READ: do_read(peer, id); break;
    case WRITE: do_write(peer, id); break;
    case SETSTAT: do_setstat(peer, id, false); break;
    case FSETSTAT: do_setstat(peer, id, true); break;
    case OPENDIR: {
        char path[9000];
        int node;

        take_text(path, sizeof path);
        node = find(peer, path);
        if (node < 0 || peer->ram->nodes[node].type != DORY_FS_DIR)
            sftp_peer_status(peer, id, node < 0 ? NO_SUCH_FILE : FAILURE, "");
        else
            give_handle(peer, id, node);
        break;
    }
    case READDIR: do_readdir(peer, id); break;
    case MKDIR: do_mkdir(peer, id); break;
    case STAT: do_stat(peer, id); break;
    case EXTENDED: do_extended(peer, id); break;
    default: fail_msg("request %u", type);
    }
}

static void greet(struct sftp_peer *peer)
{
    static const char *const all[] = {"posix-rename@openssh.com", "1", "limits@openssh.com", "1", "expand-path@openssh.com", "1",
                                      "unknown@example.com", ""};
    uint8_t body[300], *p = body;

    for (size_t i = 0; i < (peer->plain ? 0 : sizeof all / sizeof *all); i++) p = store_text(p, all[i]);
    sftp_peer_say(peer, VERSION, 3, body, (size_t)(p - body));
}

static void packet(struct sftp_peer *peer, const uint8_t *p, size_t n)
{
    unsigned type = p[0];
    uint32_t id = load(p + 1);

    at = p + 5;
    left = n - 5;
    peer->requests[type]++;
    if (peer->answers && peer->answers(peer, type, id, at, left))
        return;
    if (type == INIT) {
        assert_int_equal(id, 3);
        greet(peer);
    } else if (type == peer->refuse && peer->requests[type] > peer->refuse_skip) {
        sftp_peer_status(peer, id, peer->refuse_with, "refused by the test");
    } else {
        serve(peer, type, id);
    }
}

void sftp_peer_init(struct sftp_peer *peer, struct dory_ram_fs *ram)
{
    memset(peer, 0, offsetof(struct sftp_peer, in));
    memset(peer->handles, 0, sizeof peer->handles);
    peer->starts_n = 0;
    peer->ram = ram;
}

void sftp_peer_push(struct sftp_peer *peer, const uint8_t *bytes, size_t n)
{
    assert_true(peer->in_n + n <= sizeof peer->in);
    memcpy(peer->in + peer->in_n, bytes, n);
    peer->in_n += n;
    for (;;) {
        size_t length = peer->in_n >= 4 ? load(peer->in) : 0;

        if (peer->in_n < 4 || peer->in_n < length + 4)
            return;
        assert_true(length >= 5 && length <= 300000);
        packet(peer, peer->in + 4, length);
        peer->in_n -= length + 4;
        memmove(peer->in, peer->in + length + 4, peer->in_n);
    }
}

static void turn_round(struct sftp_peer *peer)
{
    static uint8_t turned[sizeof peer->out];
    size_t n = 0, end = peer->out_n;

    if (peer->out_at || peer->starts_n < 2)
        return;
    for (unsigned i = peer->starts_n; i--;) {
        memcpy(turned + n, peer->out + peer->starts[i], end - peer->starts[i]);
        n += end - peer->starts[i];
        end = peer->starts[i];
    }
    memcpy(peer->out, turned, n);
}

size_t sftp_peer_pull(struct sftp_peer *peer, uint8_t *buf, size_t cap)
{
    size_t n;

    if (peer->backwards)
        turn_round(peer);
    peer->starts_n = 0;
    n = peer->out_n - peer->out_at;
    if (n > cap)
        n = cap;
    memcpy(buf, peer->out + peer->out_at, n);
    peer->out_at += n;
    if (peer->out_at > sizeof peer->out / 2 || peer->out_at == peer->out_n) {
        memmove(peer->out, peer->out + peer->out_at, peer->out_n - peer->out_at);
        peer->out_n -= peer->out_at;
        peer->out_at = 0;
    }
    return n;
}

int sftp_run(struct dory_stream *s, struct sftp_peer *peer, size_t up, size_t down)
{
    static uint8_t buf[70000], held[70000];
    size_t held_at = 0, held_n = 0;
    int status;

    up = up ? up : 32768;
    down = down ? down : 32768;
    for (unsigned idle = 0; idle < 50;) {
        size_t n, took = 0;

        buf[up] = 0xa5;
        n = s->ops->pull(s, buf, up);
        assert_true(n <= up && buf[up] == 0xa5);
        sftp_peer_push(peer, buf, n);
        if (held_at == held_n && !(peer->backwards && n)) {
            held_at = 0;
            held_n = sftp_peer_pull(peer, held, down);
        }
        if (held_at < held_n)
            took = s->ops->push(s, held + held_at, held_n - held_at);
        assert_true(took <= held_n - held_at);
        held_at += took;
        idle = n || took ? 0 : idle + 1;
        if (s->ops->status(s) != DORY_E_AGAIN && !n)
            break;
    }
    status = s->ops->status(s);
    s->ops->stop(s);
    s->ops->stop(s);
    return status;
}
