#include "dory_scp.h"

int dory_scp_flat_parse(struct dory_scp_flat *flat, struct dory_fs *fs, const char *line, size_t n)
{
    flat->fs = fs;
    return dory_scp_words_parse(&flat->words, line, n);
}

/* Behind everything that means the root: "~", slashes and dots. */
static const char *below_root(const char *word)
{
    if (*word == '~')
        word++;
    while (*word == '/' || (*word == '.' && (word[1] == '/' || !word[1])))
        word++;
    return word;
}

/* Copies without backslashes; false where it is no single name. */
static bool copy_name(char name[DORY_NAME_MAX + 1], const char *word)
{
    size_t n = 0;

    for (; *word; word++) {
        if (*word == '\\' && word[1])
            word++;
        if (*word == '/' || n == DORY_NAME_MAX)
            return false;
        name[n++] = *word;
    }
    name[n] = '\0';
    return true;
}

int dory_scp_flat_item(void *ctx, struct dory_transfer_item *item)
{
    struct dory_scp_flat *flat = ctx;
    uint16_t before = flat->words.next;
    const char *word = dory_scp_words_next(&flat->words), *name;
    int dir;

    if (!word)
        return 0;
    name = below_root(word);
    item->path = word;
    if (!copy_name(flat->name, name))
        return DORY_E_NOENT;
    dir = flat->fs->ops->root(flat->fs);
    if (dir == DORY_E_AGAIN)
        flat->words.next = before;
    if (dir < 0)
        return dir;
    item->dir = dir;
    item->self = !*name;
    item->slash = false;
    item->name = *name ? flat->name : "root";
    if (*name)
        item->path = flat->name;
    return 1;
}
