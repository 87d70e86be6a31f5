#include "scp_kit.h"

struct scp_end scp_a, scp_b;

/* ---- ears */

static void add(char *text, size_t cap, const char *what, size_t n)
{
    size_t at = strlen(text);

    if (at + 2 > cap) /* full: the rest is not heard */
        return;
    if (n > cap - at - 2)
        n = cap - at - 2;
    memcpy(text + at, what, n);
    text[at + n] = '\n';
    text[at + n + 1] = '\0';
}

static void on_begin(void *ctx, const char *path, const char *name, uint64_t size)
{
    struct scp_ear *ear = ctx;
    char line[512];

    assert_int_equal(ear->begins, ear->ends);
    ear->begins++;
    ear->progress = 0;
    ear->size = size;
    snprintf(ear->path, sizeof ear->path, "%s", path);
    snprintf(line, sizeof line, "%s (%s) %llu", path, name, (unsigned long long)size);
    add(ear->begun, sizeof ear->begun, line, strlen(line));
}

static void on_progress(void *ctx, uint64_t done)
{
    struct scp_ear *ear = ctx;

    assert_true(done > ear->progress);
    ear->progress = done;
}

static void on_end(void *ctx, const char *path, uint64_t size, int status)
{
    struct scp_ear *ear = ctx;

    assert_string_equal(path, ear->path);
    assert_true(size == ear->size || !ear->size); /* SFTP: 0 may be a size that was not known */
    ear->ends++;
    assert_int_equal(ear->begins, ear->ends);
    if (status == DORY_OK) {
        assert_int_equal(ear->progress, size);
        ear->good_ends++;
    }
    ear->last_status = status;
}

static void on_message(void *ctx, const char *text, size_t n)
{
    struct scp_ear *ear = ctx;

    add(ear->messages, sizeof ear->messages, text, n);
}

static void on_error(void *ctx, const char *path, const char *text)
{
    struct scp_ear *ear = ctx;
    char line[9000];

    snprintf(line, sizeof line, "%s%s%s", path, *path ? ": " : "", text);
    add(ear->errors, sizeof ear->errors, line, strlen(line));
}

const struct dory_transfer_events scp_kit_events = {on_begin, on_progress, on_end, on_message, on_error};

/* ---- ends */

static void reset_end(struct scp_end *end)
{
    memset(&end->ear, 0, sizeof end->ear);
    memset(&end->args, 0, sizeof end->args);
    memset(&end->command, 0, sizeof end->command);
    memset(&end->engine, 0, sizeof end->engine);
    memset(&end->config, 0, sizeof end->config);
    dory_ram_init(&end->disk.ram, end->disk.nodes, SCP_KIT_NODES, end->disk.blocks, SCP_KIT_BLOCKS);
}

void scp_kit_reset(void)
{
    reset_end(&scp_a);
    reset_end(&scp_b);
}

int scp_kit_setup(void **state)
{
    (void)state;
    scp_kit_reset();
    return 0;
}

int scp_kit_teardown(void **state)
{
    (void)state;
    return dory_ram_open_handles(&scp_a.disk.ram) || dory_ram_open_handles(&scp_b.disk.ram) || dory_ram_nameless(&scp_a.disk.ram) ||
           dory_ram_nameless(&scp_b.disk.ram);
}

static int next_word(void *ctx, struct dory_transfer_item *item)
{
    struct scp_words *args = ctx;

    for (;;) {
        int r = args->path.fs ? dory_scp_path_next(&args->path, item) : 0;
        struct dory_fs *fs = args->path.fs;

        if (r)
            return r;
        if (!args->words[args->at])
            return 0;
        dory_scp_path_begin(&args->path, fs, args->words[args->at++], true);
    }
}

static void configure(struct scp_end *end, unsigned flags)
{
    end->config = (struct dory_scp_config){.fs = &end->disk.ram.fs, .flags = flags, .item = next_word, .item_ctx = &end->args,
                                           .events = &scp_kit_events, .events_ctx = &end->ear, .tree = &dory_scp_tree};
    dory_scp_path_begin(&end->args.path, &end->disk.ram.fs, "", true);
    dory_scp_path_stop(&end->args.path);
    end->args.at = 0;
}

void scp_source(struct scp_end *end, unsigned flags, const char *first, ...)
{
    va_list list;
    unsigned n = 0;

    configure(end, flags);
    va_start(list, first);
    for (const char *word = first; word && n < 7; word = va_arg(list, const char *))
        end->args.words[n++] = word;
    va_end(list);
    end->args.words[n] = NULL;
    dory_scp_source_init(&end->engine.source, &end->config);
}

void scp_sink_names(struct scp_end *end, unsigned flags, const char *target, const char *const *names, size_t n)
{
    configure(end, flags);
    end->args.words[0] = target;
    end->args.words[1] = NULL;
    end->config.names = names;
    end->config.name_count = n;
    end->config.asked_for = dory_scp_asked_for;
    dory_scp_sink_init(&end->engine.sink, &end->config);
}

void scp_sink(struct scp_end *end, unsigned flags, const char *target)
{
    scp_sink_names(end, flags, target, NULL, 0);
}

int scp_serve(struct scp_end *end, const char *line)
{
    int r = dory_scp_command_parse(&end->command, &end->disk.ram.fs, line, strlen(line));

    if (r)
        return r;
    configure(end, end->command.words.flags);
    end->config.item = dory_scp_command_item;
    end->config.item_ctx = &end->command;
    if (end->command.words.flags & DORY_SCP_TO)
        dory_scp_sink_init(&end->engine.sink, &end->config);
    else
        dory_scp_source_init(&end->engine.source, &end->config);
    return 0;
}

/* ---- wires */

static void keep(struct scp_wire *wire, int from, const uint8_t *bytes, size_t n)
{
    if (!wire->keep || !n)
        return;
    wire->sent[from] = realloc(wire->sent[from], wire->sent_n[from] + n);
    assert_non_null(wire->sent[from]);
    memcpy(wire->sent[from] + wire->sent_n[from], bytes, n);
    wire->sent_n[from] += n;
}

/* One direction: what `from` gives goes to `to`. Did anything move? */
static bool carry(struct dory_stream *from, struct dory_stream *to, struct scp_wire *wire, int number, uint8_t *buf, size_t *held,
                  bool *closed)
{
    size_t pull = wire->pull ? wire->pull : 4096, push = wire->push ? wire->push : 4096, n, took;

    if (*held < push) {
        /* A byte behind the room must stay as it is. */
        buf[*held + pull] = 0xa5;
        n = from->ops->pull(from, buf + *held, pull);
        assert_true(n <= pull);
        assert_int_equal(buf[*held + pull], 0xa5);
        keep(wire, number, buf + *held, n);
        *held += n;
        if (n)
            return true;
    }
    n = *held < push ? *held : push;
    took = n ? to->ops->push(to, buf, n) : 0;
    assert_true(took <= n);
    memmove(buf, buf + took, *held - took);
    *held -= took;
    if (!*held && !*closed && from->ops->status(from) != DORY_E_AGAIN) {
        to->ops->eof(to);
        *closed = true;
        return true;
    }
    return took > 0;
}

void scp_run(struct scp_end *a, struct scp_end *b, struct scp_wire *wire, int result[2])
{
    static uint8_t buffer[2][1 << 18];
    struct dory_stream *s[2] = {&a->engine.stream, &b->engine.stream};
    size_t held[2] = {0, 0};
    bool closed[2] = {false, false};
    struct scp_wire plain = {0};

    if (!wire)
        wire = &plain;
    for (unsigned idle = 0; idle < 50;) {
        bool moved = carry(s[0], s[1], wire, 0, buffer[0], &held[0], &closed[0]);

        moved |= carry(s[1], s[0], wire, 1, buffer[1], &held[1], &closed[1]);
        idle = moved ? 0 : idle + 1;
        if (closed[0] && closed[1])
            break;
    }
    for (int i = 0; i < 2; i++) {
        result[i] = s[i]->ops->status(s[i]);
        s[i]->ops->stop(s[i]);
        s[i]->ops->stop(s[i]);
    }
    assert_int_not_equal(result[0], DORY_E_AGAIN);
    assert_int_not_equal(result[1], DORY_E_AGAIN);
}

static size_t hear(struct dory_stream *s, char *out, size_t cap, size_t at)
{
    uint8_t buf[64];

    for (unsigned idle = 0; idle < 3;) {
        size_t n = s->ops->pull(s, buf, sizeof buf);

        idle = n ? 0 : idle + 1;
        if (n > cap - 1 - at)
            n = cap - 1 - at;
        memcpy(out + at, buf, n);
        at += n;
    }
    out[at] = '\0';
    return at;
}

int scp_feed(struct scp_end *end, const void *script, size_t n, size_t bite, char *out, size_t cap, size_t *said)
{
    struct dory_stream *s = &end->engine.stream;
    const uint8_t *at = script;
    size_t heard = hear(s, out, cap, 0);
    unsigned idle = 0;
    int status;

    while (n && idle < 5) {
        size_t part = bite && n > bite ? bite : n, took = s->ops->push(s, at, part);

        assert_true(took <= part);
        idle = took ? 0 : idle + 1;
        at += took;
        n -= took;
        heard = hear(s, out, cap, heard);
    }
    s->ops->eof(s);
    heard = hear(s, out, cap, heard);
    status = s->ops->status(s);
    s->ops->stop(s);
    if (end->command.path.fs)
        dory_scp_command_stop(&end->command);
    if (said)
        *said = heard;
    return status;
}

/* ---- trees */

static void path_of(const struct dory_ram_fs *ram, int node, char *out, size_t cap)
{
    char rest[1024] = "";

    for (; node != 0; node = ram->nodes[node].parent) {
        char longer[1024];

        snprintf(longer, sizeof longer, "/%.500s%.500s", ram->nodes[node].name, rest);
        strcpy(rest, longer);
    }
    snprintf(out, cap, "%s", rest);
}

static uint32_t sum_of(const struct dory_ram_fs *ram, int node)
{
    uint8_t part[4096];
    uint32_t sum = 2166136261u;
    size_t n;

    for (uint64_t at = 0; (n = dory_ram_content(ram, node, at, part, sizeof part)) > 0; at += n)
        for (size_t i = 0; i < n; i++)
            sum = (sum ^ part[i]) * 16777619u;
    return sum;
}

static int by_text(const void *x, const void *y)
{
    return strcmp(*(char *const *)x, *(char *const *)y);
}

char *scp_tree(const struct dory_ram_fs *ram, const char *below, unsigned what)
{
    static char *lines[SCP_KIT_NODES];
    size_t n = 0, total = 1;
    char *out;

    for (int i = 1; i < ram->node_count; i++) {
        const struct dory_ram_node *node = &ram->nodes[i];
        char path[1024], line[1400];

        if (!node->type || !node->linked)
            continue;
        path_of(ram, i, path, sizeof path);
        if (strncmp(path, below, strlen(below)) != 0)
            continue;
        snprintf(line, sizeof line, "%s %d %04o %llu %lld %lld %08x", path + strlen(below), node->type,
                 what & SCP_TREE_MODES ? node->mode : 0, (unsigned long long)node->size,
                 what & SCP_TREE_TIMES ? (long long)node->mtime : 0, what & SCP_TREE_TIMES ? (long long)node->atime : 0,
                 node->type == DORY_FS_FILE ? sum_of(ram, i) : 0);
        lines[n++] = strdup(line);
        total += strlen(line) + 1;
    }
    qsort(lines, n, sizeof *lines, by_text);
    out = malloc(total);
    assert_non_null(out);
    *out = '\0';
    for (size_t i = 0; i < n; i++) {
        strcat(strcat(out, lines[i]), "\n");
        free(lines[i]);
    }
    return out;
}

void scp_assert_same_tree(const char *below_a, const char *below_b, unsigned what)
{
    char *a = scp_tree(&scp_a.disk.ram, below_a, what), *b = scp_tree(&scp_b.disk.ram, below_b, what);

    assert_string_equal(a, b);
    free(a);
    free(b);
}

const char *scp_content(const struct dory_ram_fs *ram, const char *path)
{
    static char text[4096];
    int node = dory_ram_find(ram, path);

    if (node < 0)
        return "(none)";
    text[dory_ram_content(ram, node, 0, text, sizeof text - 1)] = '\0';
    return text;
}

void scp_put(struct scp_end *end, const char *path, const char *content)
{
    assert_true(dory_ram_put(&end->disk.ram, path, DORY_FS_FILE, 0644, content, strlen(content)) >= 0);
}

void scp_fill(struct scp_end *end, const char *path, size_t n, uint16_t mode, int64_t mtime)
{
    uint8_t *bytes = malloc(n + 1);
    uint32_t x = (uint32_t)n * 2654435761u + (uint32_t)strlen(path);
    int node;

    assert_non_null(bytes);
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(x >> 24);
    }
    node = dory_ram_put(&end->disk.ram, path, DORY_FS_FILE, mode, bytes, n);
    free(bytes);
    assert_true(node >= 0);
    end->disk.ram.nodes[node].mtime = mtime;
    end->disk.ram.nodes[node].atime = mtime + 7;
}
