#include "dory_path.h"

struct word {
    const char *path;
    size_t n;
};

/* A plain component: where it begins, at or behind *at; its length, 0 at the end. "." is passed over. */
static size_t plain(const struct word *w, size_t *at)
{
    size_t begin = *at, end;

    for (;;) {
        while (begin < w->n && w->path[begin] == '/') begin++;
        for (end = begin; end < w->n && w->path[end] != '/'; end++) continue;
        *at = begin;
        if (end - begin != 1 || w->path[begin] != '.')
            return end - begin;
        begin = end;
    }
}

static bool is_up(const char *text, size_t n)
{
    return n == 2 && text[0] == '.' && text[1] == '.';
}

/* If a ".." further on takes the component that ended at `at` back, where to go on behind it, else 0. */
static size_t taken_back(const struct word *w, size_t at)
{
    unsigned above = 1;
    size_t n;

    while ((n = plain(w, &at)) > 0) {
        if (!is_up(w->path + at, n))
            above++;
        else if (--above == 0)
            return at + n;
        at += n;
    }
    return 0;
}

static int part_at(const struct word *w, size_t at, bool stay, struct dory_path_part *part)
{
    size_t n, behind;

    for (; (n = plain(w, &at)) > 0; at = behind) {
        if (is_up(w->path + at, n)) {
            if (!stay)
                return DORY_E_ACCESS;
            behind = at + n;
            continue;
        }
        behind = taken_back(w, at + n);
        if (!behind) {
            part->text = w->path + at;
            part->n = n;
            part->next = (uint16_t)(at + n);
            return 1;
        }
    }
    return 0;
}

int dory_path_part(const char *path, size_t n, size_t at, bool stay, struct dory_path_part *part)
{
    const struct word w = {path, n};
    struct dory_path_part following;
    int r = part_at(&w, at, stay, part), more;

    if (r != 1)
        return r;
    more = part_at(&w, part->next, stay, &following);
    if (more < 0)
        return more;
    part->last = !more;
    part->slash = part->last && part->next < n && path[part->next] == '/';
    return 1;
}

void dory_fs_drop(struct dory_fs *fs, int (*how)(struct dory_fs *fs, int handle), int *handle)
{
    if (*handle >= 0)
        for (int tries = 0; tries < 100 && how(fs, *handle) == DORY_E_AGAIN; tries++) continue;
    *handle = -1;
}
