/* Answers, written piece by piece into whatever room there is: an answer is composed anew for each piece, from what the request left in the
   server, so that none needs a buffer. */
#include "sftp_internal.h"

#include <string.h>

static const uint8_t types[] = {
    [SFTP_STATUS] = SSH_FXP_STATUS,
    [SFTP_HANDLE] = SSH_FXP_HANDLE,
    [SFTP_ATTRS] = SSH_FXP_ATTRS,
    [SFTP_DATA] = SSH_FXP_DATA,
    [SFTP_PATH] = SSH_FXP_NAME,
    [SFTP_TARGET] = SSH_FXP_NAME,
    [SFTP_VERSIONS] = SSH_FXP_VERSION,
    [SFTP_LIMITS] = SSH_FXP_EXTENDED_REPLY,
    [SFTP_SPACE] = SSH_FXP_EXTENDED_REPLY,
    [SFTP_NAME] = SSH_FXP_NAME,
};

static void put_status(struct sftp_writer *w, int error)
{
    uint32_t code = dory_sftp_status_of(error);
    const char *text = dory_strerror(error);

    if (error == SFTP_END) {
        code = SSH_FX_EOF;
        text = "End of file";
    } else if (error == SFTP_HALF) {
        code = SSH_FX_FAILURE;
        text = "stored, but not mode or times";
    }
    dory_sftp_put32(w, code);
    dory_sftp_put_text(w, text);
    dory_sftp_put_text(w, "");
}

static void put_components(struct sftp_writer *w, const char *path, size_t n)
{
    struct dory_path_part part;
    size_t at = 0;

    do {
        dory_sftp_put8(w, '/');
        if (dory_path_part(path, n, at, true, &part) == 0)
            return;
        dory_sftp_put_bytes(w, part.text, part.n);
        at = part.next;
    } while (!part.last);
}

/* From the root, without what a path may say in a roundabout way. */
static void put_path(struct sftp_writer *w, const struct dory_sftp_server *s)
{
    const char *path = (const char *)s->queue + s->head + s->text;
    struct sftp_writer measure = {.skip = SIZE_MAX};

    put_components(&measure, path, s->text_n);
    dory_sftp_put32(w, (uint32_t)(SIZE_MAX - measure.skip));
    put_components(w, path, s->text_n);
}

static void put_name(struct sftp_writer *w, const struct dory_sftp_server *s)
{
    dory_sftp_put32(w, 1);
    for (int i = 0; i < 2; i++) {
        if (s->answer == SFTP_PATH)
            put_path(w, s);
        else
            dory_sftp_put_string(w, s->name, s->text_n);
    }
    dory_sftp_put32(w, 0);
}

static void put_versions(struct sftp_writer *w, const struct dory_sftp_server *s)
{
    const struct sftp_extension *extension;

    for (unsigned i = 0; (extension = dory_sftp_extension(s, i)) != NULL; i++) {
        dory_sftp_put_text(w, extension->name);
        dory_sftp_put_text(w, extension->version);
    }
}

static void put_limits(struct sftp_writer *w)
{
    static const uint32_t limits[] = {DORY_SFTP_PACKET_MAX, DORY_SFTP_READ_MAX, DORY_SFTP_READ_MAX, DORY_SFTP_HANDLES};

    for (int i = 0; i < 4; i++) dory_sftp_put64(w, limits[i]);
}

static void compose(struct sftp_writer *w, const struct dory_sftp_server *s)
{
    struct sftp_attrs attrs;

    dory_sftp_put8(w, types[s->answer]);
    dory_sftp_put32(w, s->id);
    switch (s->answer) {
    case SFTP_STATUS: put_status(w, s->error); break;
    case SFTP_HANDLE:
        dory_sftp_put32(w, 4);
        dory_sftp_put32(w, dory_sftp_handle_number(s, s->file));
        break;
    case SFTP_ATTRS:
        dory_sftp_from_info(&attrs, &s->info);
        dory_sftp_put_attrs(w, &attrs);
        break;
    case SFTP_DATA: dory_sftp_put32(w, s->length); break;
    case SFTP_VERSIONS: put_versions(w, s); break;
    case SFTP_LIMITS: put_limits(w); break;
    case SFTP_SPACE: s->config.statvfs->put(w, s); break;
    case SFTP_NAME:
        dory_sftp_put32(w, 1);
        dory_sftp_put_entry(w, s);
        break;
    default: put_name(w, s); break;
    }
}

/* Straight from the file. It was as long as its answer says when that began. */
static size_t say_content(struct dory_sftp_server *s, uint8_t *buf, size_t cap)
{
    struct dory_fs *fs = s->config.fs;
    const struct dory_sftp_events *events = s->config.events;
    long n = fs->ops->read(fs, s->handles[s->file].fs, s->offset, buf, cap < s->length ? cap : s->length);

    if (n == DORY_E_AGAIN)
        return 0;
    if (n <= 0) {
        dory_sftp_die(s, n ? dory_strerror((int)n) : "file became shorter");
        return 0;
    }
    s->offset += (size_t)n;
    s->length -= (uint32_t)n;
    if (events->moved)
        events->moved(s->config.events_ctx, s->file, (size_t)n);
    if (!s->length)
        dory_sftp_answered(s);
    return (size_t)n;
}

static size_t say_composed(struct dory_sftp_server *s, uint8_t *buf, size_t cap)
{
    struct sftp_writer measure = {.skip = SIZE_MAX}, w = {buf, buf + cap, false, true, s->sent};
    size_t n, data = s->answer == SFTP_DATA ? s->length : 0;

    if (s->answer == SFTP_ENTRY) {
        dory_sftp_put_entry(&w, s);
    } else {
        compose(&measure, s);
        dory_sftp_put32(&w, (uint32_t)(SIZE_MAX - measure.skip + data));
        compose(&w, s);
    }
    n = (size_t)(w.p - buf);
    s->sent += (uint32_t)n;
    if (w.bad)
        return n;
    if (data) {
        s->answer = SFTP_CONTENT;
        s->sent = 0;
    } else {
        dory_sftp_answered(s);
    }
    return n;
}

size_t dory_sftp_say(struct dory_sftp_server *s, uint8_t *buf, size_t cap)
{
    if (s->answer == SFTP_CONTENT)
        return say_content(s, buf, cap);
    if (s->answer == SFTP_NAMES) {
        size_t n = dory_sftp_say_names(s, buf, cap);

        if (n || s->answer == SFTP_NAMES)
            return n;
    }
    if (s->answer == SFTP_ENTRY && dory_sftp_look(s) == DORY_E_AGAIN)
        return 0;
    return say_composed(s, buf, cap);
}
