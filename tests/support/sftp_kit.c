#include "sftp_kit.h"

struct sftpk k;

static void on_opened(void *ctx, unsigned handle, const char *path, size_t n, bool writes)
{
    (void)path, (void)n, (void)writes;
    assert_ptr_equal(ctx, &k);
    assert_true(handle < DORY_SFTP_HANDLES);
    k.opened++;
}

static void on_moved(void *ctx, unsigned handle, size_t n)
{
    (void)ctx, (void)handle;
    k.moved += n;
}

static void on_closed(void *ctx, unsigned handle, int status)
{
    (void)ctx, (void)handle;
    k.closed++;
    k.good += status == DORY_OK;
}

static void on_changed(void *ctx, unsigned type, const char *path, size_t n, const char *to, size_t to_n, int status)
{
    (void)ctx, (void)type, (void)path, (void)n, (void)to, (void)to_n, (void)status;
    k.changed++;
}

static void on_error(void *ctx, const char *text)
{
    (void)ctx;
    assert_non_null(text);
    k.errors++;
}

static const struct dory_sftp_events events = {
    .opened = on_opened, .moved = on_moved, .closed = on_closed, .changed = on_changed, .error = on_error};

void sftpk_begin(void)
{
    k.config = (struct dory_sftp_config){
        .fs = &k.ram.fs, .rewrite = &dory_sftp_rewrite, .statvfs = &dory_sftp_statvfs, .events = &events, .events_ctx = &k};
    memset(&k.server, 0xA5, sizeof k.server);
    dory_sftp_server_init(&k.server, &k.config);
    k.in_n = k.in_at = k.out_n = k.out_at = 0;
    k.push = k.pull = 0;
    k.id = k.answered = 99;
    k.opened = k.closed = k.good = k.changed = k.errors = 0;
    k.moved = 0;
}

void sftpk_reset(void)
{
    dory_ram_init(&k.ram, k.nodes, SFTPK_NODES, k.blocks, SFTPK_BLOCKS);
    k.ram.now = 1700000000;
    sftpk_begin();
}

int sftpk_setup(void **state)
{
    (void)state;
    sftpk_reset();
    return 0;
}

int sftpk_teardown(void **state)
{
    struct dory_stream *stream = &k.server.stream;

    (void)state;
    stream->ops->stop(stream);
    stream->ops->stop(stream);
    assert_int_equal(dory_ram_open_handles(&k.ram), 0);
    assert_int_equal(dory_ram_nameless(&k.ram), 0);
    assert_int_equal(k.opened, k.closed);
    return 0;
}

void sftpk_ask(int type, const char *fields, ...)
{
    struct sftp_writer w = {k.in + k.in_n, k.in + SFTPK_BYTES, false, false, 0};
    uint8_t *begun = dory_sftp_begin(&w, (enum sftp_type)type, ++k.id);
    const uint8_t *bytes;
    va_list args;

    va_start(args, fields);
    for (; *fields; fields++) {
        switch (*fields) {
        case '4': dory_sftp_put32(&w, va_arg(args, uint32_t)); break;
        case '8': dory_sftp_put64(&w, va_arg(args, uint64_t)); break;
        case 's': dory_sftp_put_text(&w, va_arg(args, const char *)); break;
        case 'b':
            bytes = va_arg(args, const uint8_t *);
            dory_sftp_put_string(&w, bytes, va_arg(args, size_t));
            break;
        case 'h':
            dory_sftp_put32(&w, 4);
            dory_sftp_put32(&w, va_arg(args, uint32_t));
            break;
        default: dory_sftp_put_attrs(&w, va_arg(args, const struct sftp_attrs *)); break;
        }
    }
    va_end(args);
    dory_sftp_finish(&w, begun);
    assert_false(w.bad);
    k.in_n = (size_t)(w.p - k.in);
}

void sftpk_init(void)
{
    struct sftpk_answer a;

    k.id = SFTP_VERSION - 1;
    sftpk_ask(SSH_FXP_INIT, "");
    k.id = 99;
    sftpk_run();
    k.answered = SFTP_VERSION - 1;
    a = sftpk_answer();
    k.answered = 99;
    assert_int_equal(a.type, SSH_FXP_VERSION);
}

void sftpk_run(void)
{
    struct dory_stream *stream = &k.server.stream;
    size_t push = k.push ? k.push : 32768, pull = k.pull ? k.pull : 32768, n;
    unsigned idle = 0;

    while (idle < 200) {
        size_t left = k.in_n - k.in_at, room = SFTPK_BYTES - k.out_n;

        n = left ? stream->ops->push(stream, k.in + k.in_at, left < push ? left : push) : 0;
        assert_true(n <= left);
        k.in_at += n;
        left = stream->ops->pull(stream, k.out + k.out_n, room < pull ? room : pull);
        assert_true(left <= pull);
        k.out_n += left;
        idle = n || left || k.server.copying ? 0 : idle + 1;
        k.server.copying = false;
        if (idle && k.in_at == k.in_n && !k.ram.busy_every)
            break;
    }
    assert_int_equal(k.in_at, k.in_n);
}

int sftpk_end(void)
{
    struct dory_stream *stream = &k.server.stream;

    sftpk_run();
    stream->ops->eof(stream);
    for (int i = 0; i < 400 && stream->ops->status(stream) == DORY_E_AGAIN; i++)
        k.out_n += stream->ops->pull(stream, k.out + k.out_n, SFTPK_BYTES - k.out_n);
    assert_true(stream->ops->status(stream) != DORY_E_AGAIN);
    return stream->ops->status(stream);
}

struct sftpk_answer sftpk_answer(void)
{
    struct sftpk_answer a;
    size_t n;

    sftpk_run();
    assert_true(k.out_n - k.out_at >= 9);
    n = dory_sftp_load32(k.out + k.out_at);
    assert_true(n >= 5 && n <= k.out_n - k.out_at - 4);
    a.type = k.out[k.out_at + 4];
    a.id = dory_sftp_load32(k.out + k.out_at + 5);
    a.r = (struct sftp_reader){k.out + k.out_at + 9, k.out + k.out_at + 4 + n, false};
    assert_int_equal(a.id, k.answered + 1);
    k.answered = a.id;
    k.out_at += 4 + n;
    return a;
}

void sftpk_expect_text(uint32_t status, const char *text)
{
    struct sftpk_answer a = sftpk_answer();
    struct sftp_slice said;

    assert_int_equal(a.type, SSH_FXP_STATUS);
    assert_int_equal(dory_sftp_get32(&a.r), status);
    said = dory_sftp_get_string(&a.r);
    dory_sftp_get_string(&a.r);
    assert_true(!a.r.bad && a.r.p == a.r.end && said.n > 0);
    if (text && !dory_sftp_is(said, text))
        fail_msg("said \"%.*s\", not \"%s\"", (int)said.n, said.p, text);
}

void sftpk_expect(uint32_t status)
{
    sftpk_expect_text(status, NULL);
}

uint32_t sftpk_handle(void)
{
    struct sftpk_answer a = sftpk_answer();
    struct sftp_slice s;

    assert_int_equal(a.type, SSH_FXP_HANDLE);
    s = dory_sftp_get_string(&a.r);
    assert_int_equal(s.n, 4);
    return dory_sftp_load32(s.p);
}

struct sftp_attrs sftpk_attrs(void)
{
    struct sftpk_answer a = sftpk_answer();
    struct sftp_attrs attrs;

    assert_int_equal(a.type, SSH_FXP_ATTRS);
    dory_sftp_get_attrs(&a.r, &attrs);
    assert_true(!a.r.bad && a.r.p == a.r.end);
    return attrs;
}

const char *sftpk_name(void)
{
    static char name[5000];
    struct sftpk_answer a = sftpk_answer();
    struct sftp_attrs attrs;
    struct sftp_slice s;

    assert_int_equal(a.type, SSH_FXP_NAME);
    assert_int_equal(dory_sftp_get32(&a.r), 1);
    s = dory_sftp_get_string(&a.r);
    dory_sftp_get_string(&a.r);
    dory_sftp_get_attrs(&a.r, &attrs);
    assert_true(!a.r.bad && a.r.p == a.r.end && s.n < sizeof name);
    memcpy(name, s.p, s.n);
    name[s.n] = '\0';
    return name;
}

void sftpk_data(const void *bytes, size_t n)
{
    struct sftpk_answer a = sftpk_answer();
    struct sftp_slice s;

    assert_int_equal(a.type, SSH_FXP_DATA);
    s = dory_sftp_get_string(&a.r);
    assert_true(!a.r.bad && a.r.p == a.r.end);
    assert_int_equal(s.n, n);
    assert_memory_equal(s.p, bytes, n);
}

void sftpk_nothing(void)
{
    sftpk_run();
    assert_int_equal(k.out_at, k.out_n);
}

uint32_t sftpk_open(const char *path, uint32_t pflags)
{
    static const struct sftp_attrs none;

    sftpk_ask(SSH_FXP_OPEN, "s4a", path, pflags, &none);
    return sftpk_handle();
}

void sftpk_write(uint32_t handle, uint64_t offset, const char *text)
{
    sftpk_ask(SSH_FXP_WRITE, "h8s", handle, offset, text);
    sftpk_expect(SSH_FX_OK);
}

void sftpk_close(uint32_t handle)
{
    sftpk_ask(SSH_FXP_CLOSE, "h", handle);
    sftpk_expect(SSH_FX_OK);
}

void sftpk_put(const char *path, const char *text)
{
    uint32_t h = sftpk_open(path, SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_TRUNC);

    sftpk_write(h, 0, text);
    sftpk_close(h);
}

const char *sftpk_content(const char *path)
{
    static char bytes[65536];
    int node = dory_ram_find(&k.ram, path);

    if (node < 0)
        return "(none)";
    bytes[dory_ram_content(&k.ram, node, 0, bytes, sizeof bytes - 1)] = '\0';
    return bytes;
}

void sftpk_file(const char *path, const char *text)
{
    assert_true(dory_ram_put(&k.ram, path, DORY_FS_FILE, 0644, text, strlen(text)) >= 0);
}
