/* Nodes and names. */
#include "ram_internal.h"

#include <string.h>

int dory_ram_child(const struct dory_ram_fs *ram, int dir, const char *name, size_t n)
{
    for (int i = 1; i < ram->node_count; i++) {
        const struct dory_ram_node *node = &ram->nodes[i];

        if (node->type && node->linked && node->parent == dir && strlen(node->name) == n && memcmp(node->name, name, n) == 0)
            return i;
    }
    return DORY_E_NOENT;
}

int dory_ram_new_node(struct dory_ram_fs *ram, uint8_t type, uint16_t mode)
{
    for (int i = 0; i < ram->node_count; i++) {
        if (ram->nodes[i].type)
            continue;
        memset(&ram->nodes[i], 0, sizeof ram->nodes[i]);
        ram->nodes[i].type = type;
        ram->nodes[i].mode = mode;
        ram->nodes[i].first = -1;
        ram->nodes[i].mtime = ram->nodes[i].atime = ram->now;
        return i;
    }
    return DORY_E_NOSPC;
}

void dory_ram_link_node(struct dory_ram_fs *ram, int node, int dir, const char *name, size_t n)
{
    memcpy(ram->nodes[node].name, name, n);
    ram->nodes[node].name[n] = '\0';
    ram->nodes[node].parent = dir;
    ram->nodes[node].linked = true;
}

void dory_ram_free_unheld(struct dory_ram_fs *ram, int node)
{
    if (ram->nodes[node].linked)
        return;
    for (int i = 0; i < DORY_RAM_HANDLES; i++)
        if (ram->handles[i].used && ram->handles[i].node == node)
            return;
    dory_ram_resize(ram, node, 0);
    ram->nodes[node].type = 0;
}

void dory_ram_unlink_node(struct dory_ram_fs *ram, int node)
{
    ram->nodes[node].linked = false;
    dory_ram_free_unheld(ram, node);
}

/* One step along a path: a child, "..", or ".". */
static int step(const struct dory_ram_fs *ram, int dir, const char *name, size_t n)
{
    if (n == 1 && name[0] == '.')
        return dir;
    if (n == 2 && name[0] == '.' && name[1] == '.')
        return dir == 0 ? DORY_E_ACCESS : ram->nodes[dir].parent;
    return dory_ram_child(ram, dir, name, n);
}

int dory_ram_follow(const struct dory_ram_fs *ram, int node)
{
    for (int hops = 0; node >= 0 && ram->nodes[node].type == DORY_FS_LINK; hops++) {
        char target[256];
        size_t n = dory_ram_content(ram, node, 0, target, sizeof target - 1);
        const char *at = target;

        target[n] = '\0';
        if (hops == 8)
            return DORY_E_LOOP;
        if (*at == '/')
            return DORY_E_ACCESS;
        for (node = ram->nodes[node].parent; *at && node >= 0; at += strspn(at, "/")) {
            n = strcspn(at, "/");
            node = step(ram, node, at, n);
            at += n;
        }
    }
    return node;
}

int dory_ram_find(const struct dory_ram_fs *ram, const char *path)
{
    int node = 0;

    for (path += strspn(path, "/"); *path && node >= 0; path += strspn(path, "/")) {
        size_t n = strcspn(path, "/");

        node = dory_ram_child(ram, node, path, n);
        path += n;
    }
    return node;
}

int dory_ram_put(struct dory_ram_fs *ram, const char *path, uint8_t type, uint16_t mode, const void *content, size_t n)
{
    int node = 0, dir;

    for (path += strspn(path, "/"); *path; path += strspn(path, "/")) {
        size_t length = strcspn(path, "/");
        bool last = path[length + strspn(path + length, "/")] == '\0';

        dir = node;
        node = dory_ram_child(ram, dir, path, length);
        if (node < 0) {
            node = dory_ram_new_node(ram, last ? type : DORY_FS_DIR, last ? mode : 0755);
            if (node < 0)
                return node;
            dory_ram_link_node(ram, node, dir, path, length);
        }
        path += length;
    }
    if (n) {
        struct dory_ram_handle handle = {.node = node, .block = -1};
        long r = dory_ram_write_blocks(ram, &handle, 0, content, n);

        if (r < 0 || (size_t)r < n)
            return DORY_E_NOSPC;
    }
    return node;
}

int dory_ram_open_handles(const struct dory_ram_fs *ram)
{
    int n = 0;

    for (int i = 0; i < DORY_RAM_HANDLES; i++)
        n += ram->handles[i].used;
    return n;
}

int dory_ram_nameless(const struct dory_ram_fs *ram)
{
    int n = 0;

    for (int i = 0; i < ram->node_count; i++)
        n += ram->nodes[i].type && !ram->nodes[i].linked;
    return n;
}
