#include "scp_internal.h"

/* Does the bracket expression at *pattern (behind its '[') hold c? *pattern moves behind it. An expression without end is no expression:
   the result is -1 and the '[' stands for itself. */
static int in_bracket(const char **pattern, unsigned char c)
{
    const char *p = *pattern;
    bool inverted = *p == '!' || *p == '^', found = false, first = true;

    p += inverted;
    for (; *p != ']' || first; first = false) {
        unsigned char low, high;

        if (*p == '\\' && p[1])
            p++;
        if (!*p)
            return -1;
        low = high = (unsigned char)*p++;
        if (*p == '-' && p[1] && p[1] != ']') {
            p++;
            if (*p == '\\' && p[1])
                p++;
            high = (unsigned char)*p++;
        }
        found |= low <= c && c <= high;
    }
    *pattern = p + 1;
    return found != inverted;
}

/* Matches one element of the pattern, which is no star, against the name; moves both. A ? takes a whole UTF-8 character. */
static bool one(const char **pattern, const char **name)
{
    const char *p = *pattern, *n = *name;
    bool same;

    if (!*n || !*p)
        return false;
    if (*p == '?') {
        p++;
        for (n++; ((unsigned char)*n & 0xc0) == 0x80; n++)
            continue;
        same = true;
    } else {
        int inside = -1;

        if (*p == '[') {
            p++;
            inside = in_bracket(&p, (unsigned char)*n);
            same = inside == 1 || (inside < 0 && *n == '[');
        } else {
            if (*p == '\\' && p[1])
                p++;
            same = *p++ == *n;
        }
        n++;
    }
    *pattern = p;
    *name = n;
    return same;
}

bool dory_scp_glob(const char *pattern, const char *name)
{
    const char *star = NULL, *resume = name;

    if (*name == '.' && *pattern != '.' && !(pattern[0] == '\\' && pattern[1] == '.'))
        return false;
    while (*name || *pattern) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = name;
        } else if (!one(&pattern, &name)) {
            /* Only the last star needs to give way: what stood before it has matched as early as it could. */
            if (!star || !*resume)
                return false;
            pattern = star;
            name = ++resume;
        }
    }
    return true;
}

bool dory_scp_asked_for(const struct dory_scp_config *config, const char *name, bool first)
{
    for (size_t i = 0; i < config->name_count; i++)
        if (config->names[i][0] == '/' ? first : dory_scp_glob(config->names[i], name))
            return true;
    return false;
}
