#include "scp_sink.h"

#include <string.h>

static const char invalid[] = "invalid record";

/* Exactly, up to 2^63 - 1. */
static bool get_number(const char **at, uint64_t *value)
{
    const char *p = *at;
    uint64_t sum = 0;

    for (; *p >= '0' && *p <= '9' && !(sum >> 60); p++)
        sum = sum * 10 + (unsigned)(*p - '0');
    *value = sum;
    if (p == *at || sum >> 63)
        return false;
    *at = p;
    return true;
}

/* T<mtime> <microseconds> <atime> <microseconds> */
static bool parse_times(const char *at, const char *end, struct dory_fs_info *info)
{
    uint64_t value[4];

    for (unsigned i = 0; i < 4; i++)
        if ((i && *at++ != ' ') || !get_number(&at, &value[i]) || (i & 1 && value[i] > 999999))
            return false;
    info->mtime = (int64_t)value[0];
    info->atime = (int64_t)value[2];
    return at == end;
}

static bool is_name(const char *name, const char *end)
{
    return name != end && name + strcspn(name, "/") == end && strcmp(name, "..") != 0;
}

/* C<mode, four octal digits> <size> <name>, and D likewise. */
static const char *parse_object(const char *at, const char *end, struct dory_fs_info *info, const char **name)
{
    unsigned mode = 1;

    while (mode < 1 << 12 && *at >= '0' && *at <= '7')
        mode = mode << 3 | (unsigned)(*at++ - '0');
    if (mode < 1 << 12 || *at++ != ' ' || !get_number(&at, &info->size) || *at++ != ' ')
        return invalid;
    info->mode = mode & 07777;
    *name = at;
    return is_name(at, end) ? NULL : "unexpected filename";
}

const char *dory_i_scp_parse(struct dory_scp *scp, const char **name)
{
    const char *at = scp->line, *end = at + scp->line_len;
    char kind = *at++;

    if (kind == 'T')
        return parse_times(at, end, &scp->present.info) ? NULL : invalid;
    if (kind == 'E')
        return at == end ? NULL : invalid;
    if (kind != 'C' && kind != 'D')
        return "expected control record";
    return parse_object(at, end, &scp->present.info, name);
}
