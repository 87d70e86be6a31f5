/* Content as chains of blocks. */
#include "ram_internal.h"

#include <string.h>

static int new_block(struct dory_ram_fs *ram)
{
    for (int i = 0; ram->free_blocks && i < ram->block_count; i++) {
        /* Begin where the last search ended: chains are mostly made in order. */
        int at = ram->block_hint;

        ram->block_hint = at + 1 < ram->block_count ? at + 1 : 0;
        if (!ram->blocks[at].used) {
            ram->blocks[at].used = true;
            ram->blocks[at].next = -1;
            memset(ram->blocks[at].bytes, 0, DORY_RAM_BLOCK);
            ram->free_blocks--;
            return at;
        }
    }
    return DORY_E_NOSPC;
}

static void free_chain(struct dory_ram_fs *ram, int block)
{
    while (block >= 0) {
        ram->blocks[block].used = false;
        ram->free_blocks++;
        block = ram->blocks[block].next;
    }
}

/* The block that holds `offset`, made if `grow`; the handle stands there afterwards. -1: not there. */
static int block_for(struct dory_ram_fs *ram, struct dory_ram_handle *handle, uint64_t offset, bool grow)
{
    int *link;

    if (handle->block < 0 || offset < handle->block_at) {
        link = &ram->nodes[handle->node].first;
        handle->block_at = 0;
    } else if (offset < handle->block_at + DORY_RAM_BLOCK) {
        return handle->block;
    } else {
        link = &ram->blocks[handle->block].next;
        handle->block_at += DORY_RAM_BLOCK;
    }
    for (;;) {
        if (*link < 0) {
            int made = grow ? new_block(ram) : -1;

            if (made < 0) {
                handle->block = -1;
                return made;
            }
            *link = made;
        }
        handle->block = *link;
        if (offset < handle->block_at + DORY_RAM_BLOCK)
            return handle->block;
        link = &ram->blocks[handle->block].next;
        handle->block_at += DORY_RAM_BLOCK;
    }
}

long dory_ram_read_blocks(const struct dory_ram_fs *ram, struct dory_ram_handle *handle, uint64_t offset, uint8_t *buf, size_t n)
{
    const struct dory_ram_node *node = &ram->nodes[handle->node];
    size_t done = 0;

    if (offset >= node->size)
        return 0;
    if (n > node->size - offset)
        n = (size_t)(node->size - offset);
    while (done < n) {
        /* Without `grow` nothing is changed. */
        int block = block_for((struct dory_ram_fs *)ram, handle, offset + done, false);
        size_t in = (size_t)((offset + done) % DORY_RAM_BLOCK);
        size_t part = DORY_RAM_BLOCK - in < n - done ? DORY_RAM_BLOCK - in : n - done;

        if (block < 0)
            memset(buf + done, 0, part);
        else
            memcpy(buf + done, ram->blocks[block].bytes + in, part);
        done += part;
    }
    return (long)done;
}

long dory_ram_write_blocks(struct dory_ram_fs *ram, struct dory_ram_handle *handle, uint64_t offset, const uint8_t *buf, size_t n)
{
    struct dory_ram_node *node = &ram->nodes[handle->node];
    size_t done = 0;

    while (done < n) {
        int block = block_for(ram, handle, offset + done, true);
        size_t in = (size_t)((offset + done) % DORY_RAM_BLOCK);
        size_t part = DORY_RAM_BLOCK - in < n - done ? DORY_RAM_BLOCK - in : n - done;

        if (block < 0)
            break;
        memcpy(ram->blocks[block].bytes + in, buf + done, part);
        done += part;
    }
    if (done && offset + done > node->size)
        node->size = offset + done;
    return done || !n ? (long)done : DORY_E_NOSPC;
}

int dory_ram_resize(struct dory_ram_fs *ram, int number, uint64_t size)
{
    struct dory_ram_node *node = &ram->nodes[number];
    struct dory_ram_handle handle = {.node = number, .block = -1};
    int *link = &node->first;

    for (int i = 0; i < DORY_RAM_HANDLES; i++)
        if (ram->handles[i].used && ram->handles[i].node == number)
            ram->handles[i].block = -1;
    if (size > node->size) {
        if (block_for(ram, &handle, size - 1, true) < 0)
            return DORY_E_NOSPC;
    } else {
        for (uint64_t at = 0; at < size; at += DORY_RAM_BLOCK)
            link = &ram->blocks[*link].next;
        free_chain(ram, *link);
        *link = -1;
        if (size % DORY_RAM_BLOCK) {
            int last = block_for(ram, &handle, size - 1, false);

            memset(ram->blocks[last].bytes + size % DORY_RAM_BLOCK, 0, DORY_RAM_BLOCK - size % DORY_RAM_BLOCK);
        }
    }
    node->size = size;
    return DORY_OK;
}

size_t dory_ram_content(const struct dory_ram_fs *ram, int node, uint64_t offset, void *buf, size_t n)
{
    struct dory_ram_handle handle = {.node = node, .block = -1};

    return (size_t)dory_ram_read_blocks(ram, &handle, offset, buf, n);
}
