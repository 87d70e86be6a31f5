#ifndef RAM_INTERNAL_H
#define RAM_INTERNAL_H

#include "dory_ram_fs.h"

/* Nodes. */
int dory_ram_child(const struct dory_ram_fs *ram, int dir, const char *name, size_t n);
int dory_ram_new_node(struct dory_ram_fs *ram, uint8_t type, uint16_t mode);
void dory_ram_link_node(struct dory_ram_fs *ram, int node, int dir, const char *name, size_t n);
/* Takes the name away; the node itself goes once no handle holds it. */
void dory_ram_unlink_node(struct dory_ram_fs *ram, int node);
void dory_ram_free_unheld(struct dory_ram_fs *ram, int node);
/* Follows a link, several times if need be, never above the root: a node, or DORY_E_ACCESS, DORY_E_LOOP, DORY_E_NOENT. */
int dory_ram_follow(const struct dory_ram_fs *ram, int node);

/* Content. The handle remembers where it was, so that going on is quick. */
long dory_ram_read_blocks(const struct dory_ram_fs *ram, struct dory_ram_handle *handle, uint64_t offset, uint8_t *buf, size_t n);
long dory_ram_write_blocks(struct dory_ram_fs *ram, struct dory_ram_handle *handle, uint64_t offset, const uint8_t *buf, size_t n);
int dory_ram_resize(struct dory_ram_fs *ram, int node, uint64_t size);

#endif
