#include "scp_record.h"

#include <string.h>

static bool microseconds(const char **at)
{
    int64_t value;

    return *(*at)++ == ' ' && dory_scp_get_number(at, &value) && value <= 999999;
}

/* T<mtime> <microseconds> <atime> <microseconds> */
static const char *parse_times(const char *at, const char *end, struct scp_record *record)
{
    if (!dory_scp_get_number(&at, &record->mtime) || !microseconds(&at) || *at++ != ' ' ||
        !dory_scp_get_number(&at, &record->atime) || !microseconds(&at) || at != end)
        return "bad times";
    return NULL;
}

static bool is_name(const char *name, const char *end)
{
    size_t n = (size_t)(end - name);

    return n && !memchr(name, '/', n) && !memchr(name, '\0', n) && strcmp(name, "..") != 0;
}

/* C<mode, four octal digits> <size> <name>, and D likewise. "." is left to the caller. */
const char *dory_scp_parse_record(const char *line, size_t n, struct scp_record *record)
{
    const char *at = line + 1, *end = line + n;

    if (line[0] == 'T')
        return parse_times(at, end, record);
    record->mode = 0;
    for (; at < line + 5; at++) {
        if (*at < '0' || *at > '7')
            return "bad mode";
        record->mode = (uint16_t)(record->mode << 3 | (*at - '0'));
    }
    if (*at++ != ' ')
        return "bad mode";
    if (!dory_scp_get_number(&at, &record->size) || *at++ != ' ')
        return "bad size";
    record->name = at;
    return is_name(at, end) ? NULL : "unexpected filename";
}
