#include "copy_fuzz.h"

#include "boards/posix/scp_between.h"
#include "dory_sftp_client.h"
#include "scp_kit.h"

enum { CIRCUMSTANCES = 8, ASKED = 128, BYTES = 80000, NODES = 60, BLOCKS = 400 };
enum { GET, PUT, ACROSS, SINK, SOURCE };

/* What is asked for; its last component is what may appear in the target. */
static const struct plan {
    uint8_t engine, flags;
    const char *path;
} plans[COPY_FUZZ_PLANS] = {
    {GET, DORY_SFTP_RECURSE, "d"},
    {GET, DORY_SFTP_RECURSE, "?"},
    {GET, DORY_SFTP_RECURSE | DORY_SFTP_TIMES, "*/b*"},
    {GET, 0, "*.txt"},
    {GET, DORY_SFTP_TIMES, "~/d/[a-c]*"},
    {PUT, DORY_SFTP_RECURSE | DORY_SFTP_TIMES, "there"},
    {PUT, DORY_SFTP_RECURSE, "~"},
    {SINK, DORY_SCP_RECURSE, "d"},
    {SINK, DORY_SCP_RECURSE | DORY_SCP_TIMES, "b*"},
    {SINK, 0, "*.txt"},
    {SOURCE, DORY_SCP_RECURSE | DORY_SCP_TIMES, ""},
    {SOURCE, 0, ""},
    {ACROSS, DORY_SFTP_RECURSE | DORY_SFTP_TIMES, "d"},
    {ACROSS, DORY_SFTP_RECURSE, "*/b*"},
    {SINK, DORY_SCP_RECURSE | DORY_SCP_TIMES, ""}, /* a server's, which takes every name */
    {SINK, 0, ""},
};

static const struct plan *plan;
static struct dory_sftp_put sends;
static struct dory_between between; /* two hosts; the second one behaves, but for requests that it refuses */
static struct {
    size_t n;
    unsigned asked, refuse_every;
    uint8_t in[BYTES], out[BYTES];
    size_t out_n;
} target;
static bool in_order;
static uint8_t files;

static struct {
    const uint8_t *p, *end; /* what is left of the input */
    size_t push, pull;
    struct {
        uint8_t type;
        uint32_t id, length;
        bool limits;
    } asked[ASKED];
    unsigned asked_n;
    size_t in_n, out_n, out_at;
    uint8_t in[BYTES], out[BYTES];
} host;

static void promise(bool kept, const char *what)
{
    if (!kept) {
        fprintf(stderr, "a client broke a promise: %s\n", what);
        abort();
    }
}

static uint8_t any(void)
{
    return host.p < host.end ? *host.p++ : 0;
}

/* ---- What a host may say */

static const char *name(size_t *n)
{
    static char long_name[300];
    static const char *const names[] = {"a.txt", "b", "bb",  "d",  "bashrc", ".ssh",    "evil.sh", "..",
                                        ".",     "",  "x/y", "/x", "../out", "\x1b[2J", "b.txt",   long_name};
    const char *chosen = names[any() % 16];

    memset(long_name, 'b', sizeof long_name - 1);
    *n = strlen(chosen);
    return chosen;
}

static uint32_t mode(void)
{
    static const uint32_t modes[] = {0100644, 040755, 0100644, 040700, 0120777, 0106755, 0160000, 0};

    return modes[any() & 7];
}

static uint64_t size(void)
{
    static const uint64_t sizes[] = {5, 0, 300, 70000, 1, 33000, (uint64_t)1 << 63, UINT64_MAX};

    return sizes[any() & 7];
}

static void put(const void *bytes, size_t n)
{
    if (n > BYTES - host.out_n)
        n = BYTES - host.out_n;
    memcpy(host.out + host.out_n, bytes, n);
    host.out_n += n;
}

static void put32(uint32_t v)
{
    const uint8_t bytes[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

    put(bytes, 4);
}

static void put_string(const void *bytes, size_t n)
{
    put32((uint32_t)n);
    put(bytes, n);
}

static void put_zeros(size_t n)
{
    static const uint8_t zeros[4096];

    for (; n; n -= n < sizeof zeros ? n : sizeof zeros) put(zeros, n < sizeof zeros ? n : sizeof zeros);
}

/* ---- SFTP */

static uint32_t load32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_attrs(void)
{
    static const uint32_t flags[] = {1 | 4 | 8, 4, 1 | 4, 0, 15, 4, 8, 0x80000001};
    uint32_t which = flags[any() & 7];
    uint64_t bytes = which & 1 ? size() : 0;

    put32(which);
    if (which & 1)
        put32((uint32_t)(bytes >> 32)), put32((uint32_t)bytes);
    if (which & 2)
        put32(0), put32(0);
    if (which & 4)
        put32(mode());
    if (which & 8)
        put32(1), put32(0xffffffff);
    if (which & 0x80000000)
        put32(1), put_string("x", 1), put_string("y", 1);
}

static void put_names(unsigned count)
{
    put32(count);
    while (count--) {
        size_t n;
        const char *text = name(&n);

        put_string(text, n);
        put_string("-rw", 3);
        put_attrs();
    }
}

static void put_status(uint32_t code)
{
    put32(code);
    put_string("because", 7);
    put_string("", 0);
}

/* An answer of this type to the request number i: mostly well formed. */
static void say(unsigned i, uint8_t type, uint8_t how)
{
    size_t at = host.out_n;
    uint8_t head[9] = {0, 0, 0, 0, type};
    uint32_t n;

    put(head, 5);
    put32(host.asked[i].id + (how == 255));
    switch (type) {
    case 2: put_string("limits@openssh.com", 18), put_string("1", 1), put_string("expand-path@openssh.com", 23), put_string("1", 1); break;
    case 101: put_status(how & 7); break;
    case 102:
        n = how & 1 ? 6 : 2U * any();
        put32(n);
        put_zeros(n);
        break;
    case 103:
        n = how & 1 ? host.asked[i].length : any() * 8U;
        put32(n);
        put_zeros(n < 40000 ? n : 40000);
        break;
    case 104: put_names(how & 3); break;
    case 105: put_attrs(); break;
    case 201: put32(0), put32(262144), put32(0), put32(any() * 300U), put32(0), put32(any() * 300U), put32(0), put32(any() & 3); break;
    default: put_zeros(how); break;
    }
    n = (uint32_t)(host.out_n - at - 4) + (how == 254 ? any() : 0);
    for (int byte = 0; byte < 4; byte++) host.out[at + (size_t)byte] = (uint8_t)(n >> (24 - 8 * byte));
    host.asked[i] = host.asked[--host.asked_n];
}

static uint8_t right_type(unsigned i)
{
    switch (host.asked[i].type) {
    case 1: return 2;
    case 3:
    case 11: return 102;
    case 5: return 103;
    case 12: return 104;
    case 17: return 105;
    case 200: return host.asked[i].limits ? 201 : 104;
    default: return 101;
    }
}

static void answer(void)
{
    static const uint8_t types[] = {101, 102, 103, 104, 105, 201, 2, 99};
    uint8_t op = any(), how = any();
    unsigned i = host.asked_n ? (op >> 4) % host.asked_n : 0;

    if (!host.asked_n)
        return;
    if ((op & 15) == 15)
        say(i, types[how & 7], any());
    else if ((op & 15) >= 12)
        say(i, 101, (uint8_t)(how | 1)); /* it failed, or the end is reached */
    else if (host.asked[i].type == 12)
        say(i, 104, how);
    else
        say(i, right_type(i), host.asked[i].type == 200 ? 1 : right_type(i) == 101 ? 0 : how | 1);
}

/* Takes the client's requests apart. */
static void hear_sftp(const uint8_t *bytes, size_t n)
{
    promise(n <= BYTES - host.in_n, "requests of bounded size");
    memcpy(host.in + host.in_n, bytes, n);
    host.in_n += n;
    while (host.in_n >= 9 && host.in_n >= 4 + (size_t)load32(host.in)) {
        size_t whole = 4 + (size_t)load32(host.in);

        promise(whole >= 9 && host.asked_n < ASKED, "requests in a bounded number");
        host.asked[host.asked_n].type = host.in[4];
        host.asked[host.asked_n].id = load32(host.in + 5);
        host.asked[host.asked_n].length = load32(host.in + whole - 4);
        host.asked[host.asked_n++].limits = whole > 14 && host.in[13] == 'l';
        memmove(host.in, host.in + whole, host.in_n - whole);
        host.in_n -= whole;
    }
}

static bool was_asked_for(const char *top)
{
    const char *slash = strrchr(plan->path, '/'), *last = slash ? slash + 1 : plan->path;

    return plan->engine != PUT && plan->engine != SOURCE && (!*last || dory_scp_glob(last, top) || strcmp(last, top) == 0);
}

/* ---- The second host */

/* "there", or below it and below a name that was asked for. */
static void check_path(const char *path, size_t n)
{
    char text[DORY_SFTP_PATH_MAX + 1], *part, *rest = text;
    unsigned depth = 0;

    promise(n <= DORY_SFTP_PATH_MAX && !memchr(path, 0, n), "paths of bounded size");
    memcpy(text, path, n);
    text[n] = '\0';
    if (n && text[n - 1] == '/')
        text[n - 1] = '\0';
    for (; (part = strsep(&rest, "/")) != NULL; depth++)
        promise(depth == 0 ? strcmp(part, "there") == 0
                           : *part && strcmp(part, ".") != 0 && strcmp(part, "..") != 0 && (depth > 1 || was_asked_for(part)),
                "nothing at the second host that was not asked for");
}

static void target_says(uint8_t type, const uint8_t *id, const void *body, size_t n)
{
    uint8_t *p = target.out + target.out_n;

    promise(9 + n <= BYTES - target.out_n, "requests in a bounded number");
    memcpy(p, "\0\0\0", 3);
    p[3] = (uint8_t)(5 + n);
    p[4] = type;
    memcpy(p + 5, id, 4);
    memcpy(p + 9, body, n);
    target.out_n += 9 + n;
}

static void serve(const uint8_t *packet)
{
    static const uint8_t ok[12], no[12] = {0, 0, 0, 4}, dir[8] = {0, 0, 0, 4, 0, 0, 0x41, 0xed}, missing[12] = {0, 0, 0, 2};
    uint8_t type = packet[4];
    uint32_t n = load32(packet + 9);

    if (type == 3 || type == 9 || type == 14 || type == 17)
        check_path((const char *)packet + 13, n);
    if (type == 1)
        target_says(2, (const uint8_t *)"\0\0\0\3", "", 0);
    else if (type == 17 && n == 5)
        target_says(105, packet + 5, dir, sizeof dir);
    else if (target.refuse_every && target.asked++ % target.refuse_every == 0)
        target_says(101, packet + 5, type == 17 ? missing : no, 12);
    else if (type == 3)
        target_says(102, packet + 5, "\0\0\0\1h", 5);
    else
        target_says(101, packet + 5, type == 17 ? missing : ok, 12);
}

/* True: something moved. */
static bool turn_target(void)
{
    struct dory_stream *s = &sends.base.stream;
    size_t n = s->ops->pull(s, target.in + target.n, BYTES - target.n < host.pull ? BYTES - target.n : host.pull), took;

    target.n += n;
    while (target.n >= 13 && target.n >= 4 + (size_t)load32(target.in)) {
        size_t whole = 4 + (size_t)load32(target.in);

        serve(target.in);
        memmove(target.in, target.in + whole, target.n - whole);
        target.n -= whole;
    }
    if (target.n == 9 && target.in[4] == 1)
        serve(target.in), target.n = 0;
    took = target.out_n ? s->ops->push(s, target.out, target.out_n) : 0;
    memmove(target.out, target.out + took, target.out_n - took);
    target.out_n -= took;
    return n || took;
}

/* ---- SCP */

static void put_record(uint8_t op)
{
    char line[400];
    size_t n;
    const char *text = name(&n);
    unsigned long long bytes = size();

    snprintf(line, sizeof line, "%c%04o %llu %.300s\n", op & 1 ? 'C' : 'D', mode() & 07777, op & 1 ? bytes : 0, text);
    put(line, strlen(line));
    if (op & 1 && bytes < 40000) {
        put_zeros((size_t)bytes);
        put("", 1);
    }
}

static void record(void)
{
    uint8_t op = any();

    switch (op >> 4) {
    case 0: put("E\n", 2); break;
    case 1: put("T1 0 4294967295 0\n", 18); break;
    case 2: put("\1scp: oops\n", 11); break;
    case 3: put("\2scp: bye\n", 10); break;
    case 4: put_zeros(op); break;
    case 5: put(host.p, (size_t)(host.end - host.p) < op ? (size_t)(host.end - host.p) : op); break;
    default: put_record(op); break;
    }
}

static void reply(void)
{
    uint8_t op = any();

    if (op < 200)
        put("", 1);
    else
        put(op & 1 ? "\1scp: no\n" : "\2scp: never\n", op & 1 ? 9 : 12);
}

/* ---- The copy */

static struct dory_stream *begin(void)
{
    static struct dory_sftp_get get;
    static const char *names[1];
    struct dory_sftp_client_config config;

    if (plan->engine == GET || plan->engine == SINK) {
        scp_sink(&scp_a, plan->flags, "dst");
        names[0] = plan->path;
    } else {
        scp_source(&scp_a, plan->flags, "dst", "outside", NULL);
    }
    config = (struct dory_sftp_client_config){.fs = &scp_a.disk.ram.fs,
                                              .flags = plan->flags,
                                              .path = plan->path,
                                              .item = scp_a.config.item,
                                              .item_ctx = scp_a.config.item_ctx,
                                              .events = &scp_kit_events,
                                              .events_ctx = &scp_a.ear,
                                              .match = plan->engine == GET ? dory_scp_glob : NULL,
                                              .in_order = in_order,
                                              .files = files};
    if (plan->engine == ACROSS) {
        dory_between_init(&between, dory_sftp_get_info, &get);
        config.fs = &between.out;
        config.item = dory_between_item;
        config.item_ctx = &between;
        config.path = "there";
        config.flags |= DORY_SFTP_DIR;
        config.events = NULL;
        dory_sftp_put_init(&sends, &config);
        config.fs = &between.in;
        config.item = dory_between_target;
        config.path = plan->path;
        config.flags = plan->flags;
        config.events = &scp_kit_events;
        config.in_order = true;
        config.match = dory_scp_glob;
    }
    switch (plan->engine) {
    case ACROSS:
    case GET: dory_sftp_get_init(&get, &config); return &get.base.stream;
    case PUT: dory_sftp_put_init(&sends, &config); return &sends.base.stream;
    case SINK:
        if (*plan->path)
            scp_sink_names(&scp_a, plan->flags, "dst", names, 1);
        break;
    default: break;
    }
    return &scp_a.engine.stream;
}

static void prepare(const uint8_t how[CIRCUMSTANCES])
{
    static const int errors[] = {DORY_E_IO, DORY_E_NOSPC, DORY_E_ACCESS, DORY_E_NFILE};
    struct dory_ram_fs *ram = &scp_a.disk.ram;

    plan = &plans[how[0] % COPY_FUZZ_PLANS];
    host.asked_n = 0;
    host.in_n = host.out_n = host.out_at = target.n = target.out_n = target.asked = 0;
    target.refuse_every = how[4] >> 4;
    memset(&scp_a.ear, 0, sizeof scp_a - offsetof(struct scp_end, ear));
    dory_ram_init(ram, scp_a.disk.nodes, NODES, scp_a.disk.blocks, BLOCKS);
    scp_put(&scp_a, "/dst/kept", "kept");
    scp_put(&scp_a, "/dst/sub/more", "more");
    scp_put(&scp_a, "/outside", "outside");
    dory_ram_put(ram, "/dst/bb", DORY_FS_LINK, 0777, "/outside", 8);
    dory_ram_put(ram, "/dst/b", DORY_FS_LINK, 0777, "/", 1);
    ram->nodes[dory_ram_find(ram, "/dst")].mode = 0711;
    ram->busy_every = how[1] & 8 ? how[1] & 7 : 0;
    ram->fail_at = (unsigned long)how[2] << 4;
    ram->fail_with = errors[how[3] & 3];
    ram->bite = how[4] & 1 ? how[4] : 0;
    host.push = 1 + (size_t)how[5] * how[5];
    host.pull = 1 + (size_t)how[6] * how[6];
    in_order = how[7] & 1;
    files = how[7] & 2 ? how[7] >> 4 : 0;
}

static bool is_sftp(void)
{
    return plan->engine <= ACROSS;
}

static void speak(void)
{
    if (host.out_at < host.out_n)
        return;
    host.out_at = host.out_n = 0;
    for (unsigned more = 1; host.p < host.end && more; more = host.p < host.end ? *host.p & 1 : 0) {
        if (is_sftp())
            answer();
        else if (plan->engine == SINK)
            record();
        else
            reply();
        if (host.out_n > BYTES / 2)
            break;
    }
}

static void converse(struct dory_stream *s)
{
    static uint8_t buf[BYTES];
    bool across = plan->engine == ACROSS, moved = false;
    size_t n, took, left;

    for (unsigned idle = 0; idle < 40; idle = n || took || moved ? 0 : idle + 1) {
        n = s->ops->pull(s, buf, host.pull < 32768 ? host.pull : 32768);
        if (is_sftp())
            hear_sftp(buf, n);
        speak();
        left = host.out_n - host.out_at;
        took = left < host.push ? left : left > 600 && host.push < 500 ? 500 : host.push; /* content need not come byte by byte */
        if (took)
            took = s->ops->push(s, host.out + host.out_at, took);
        host.out_at += took;
        if (!took && host.p == host.end && host.out_at == host.out_n)
            s->ops->eof(s);
        between.in_over = s->ops->status(s) != DORY_E_AGAIN;
        moved = across && turn_target();
    }
    s->ops->stop(s);
    if (across) {
        between.in_over = true;
        for (unsigned idle = 0; idle < 40; idle = turn_target() ? 0 : idle + 1) continue;
        promise(sends.base.stream.ops->status(&sends.base.stream) != DORY_E_AGAIN, "the end at the second host");
        sends.base.stream.ops->stop(&sends.base.stream);
    }
    promise(s->ops->status(s) != DORY_E_AGAIN, "the end");
}

/* ---- What must hold afterwards */

static void check_line(const char *line)
{
    static const char *const there[] = {
        "dst 2 0711 ", "dst/kept 1 0644 4 ", "dst/sub 2 ", "dst/sub/more 1 0644 4 ", "outside 1 0644 7 0 0 c38eecc4",
        "dst/b 3 ",    "dst/bb 3 "};
    unsigned kind, permissions = 0;
    char top[300];

    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        if (strncmp(line, there[i], strlen(there[i])) == 0)
            return;
    promise(sscanf(line, "dst/%299[^/ ]", top) == 1 && was_asked_for(top), "nothing that was not asked for");
    line = strchr(line, ' ');
    promise(line && sscanf(line, " %u %o", &kind, &permissions) == 2, "the tree of the test");
    promise(!(permissions & (is_sftp() ? 06000 : plan->flags & DORY_SCP_TIMES ? 0 : 07000)), "no special bits");
}

static void check(void)
{
    char *tree = scp_tree(&scp_a.disk.ram, "/", SCP_TREE_MODES | SCP_TREE_TIMES), *line, *rest = tree;

    while ((line = strsep(&rest, "\n")) != NULL)
        if (*line)
            check_line(line);
    free(tree);
    promise(strcmp(scp_content(&scp_a.disk.ram, "/outside"), "outside") == 0, "nothing outside of the target");
    promise(dory_ram_open_handles(&scp_a.disk.ram) == 0 && dory_ram_nameless(&scp_a.disk.ram) == 0, "nothing left open");
    promise(scp_a.ear.begins == scp_a.ear.ends, "an end for each begin");
}

void copy_fuzz(const uint8_t *input, size_t n)
{
    if (n < CIRCUMSTANCES)
        return;
    prepare(input);
    host.p = input + CIRCUMSTANCES;
    host.end = input + n;
    converse(begin());
    check();
}
