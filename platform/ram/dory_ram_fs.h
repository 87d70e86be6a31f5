/* dory_fs.h over static tables: files of a device that live until power-off, and the file system of the tests, which can be told to be
 * slow, full, broken or read-only at any call. Tables are the caller's; nothing is allocated.
 */
#ifndef DORY_RAM_FS_H
#define DORY_RAM_FS_H

#include "dory_fs.h"

#define DORY_RAM_BLOCK 256
#define DORY_RAM_HANDLES 160

struct dory_ram_node {
    uint8_t type; /* enum dory_fs_type; 0: free */
    bool linked;  /* has a name; a file under creation has none */
    uint16_t mode;
    uint32_t uid, gid;
    int parent; /* a node; the root is node 0 and its own parent */
    int first;  /* block, or -1 */
    uint64_t size;
    int64_t mtime, atime;
    char name[DORY_NAME_MAX + 1];
};

struct dory_ram_block {
    int next; /* block or -1 */
    bool used;
    uint8_t bytes[DORY_RAM_BLOCK];
};

struct dory_ram_handle {
    bool used, creating;
    unsigned flags; /* DORY_FS_OPEN_* */
    int node;
    int cursor;         /* of `next`: the node to look at */
    int block;          /* where the last read or write ended, or -1 */
    uint64_t block_at;  /* the offset at which that block begins */
    int dir;            /* of a file under creation: where it will appear */
    char name[DORY_NAME_MAX + 1];
};

/* Calls are counted from 1; each is one call of the interface. */
enum dory_ram_call {
    DORY_RAM_ROOT, DORY_RAM_OPEN, DORY_RAM_DUP, DORY_RAM_INFO, DORY_RAM_LOOKUP, DORY_RAM_NEXT, DORY_RAM_READ, DORY_RAM_WRITE,
    DORY_RAM_CREATE, DORY_RAM_COMMIT, DORY_RAM_ABORT, DORY_RAM_MKDIR, DORY_RAM_SETINFO, DORY_RAM_SYNC, DORY_RAM_CLOSE,
    DORY_RAM_REMOVE, DORY_RAM_RMDIR, DORY_RAM_RENAME, DORY_RAM_READLINK, DORY_RAM_SPACE
};

struct dory_ram_fs {
    struct dory_fs fs; /* first; fs.read_only may be set */
    struct dory_ram_node *nodes;
    struct dory_ram_block *blocks;
    int node_count, block_count, free_blocks, block_hint;
    struct dory_ram_handle handles[DORY_RAM_HANDLES];
    int64_t now;     /* the time that changes are stamped with */
    uint16_t umask;

    /* Misbehaviour, all off at 0. */
    unsigned long calls;       /* how many there were; may be set back */
    unsigned long fail_at;     /* this call returns fail_with */
    int fail_with;
    unsigned long busy_every;  /* every call whose number this divides is busy once */
    uint32_t only;             /* bits 1 << enum dory_ram_call that both concern; 0: all */
    size_t bite;               /* the most that a read or write takes at once */
    bool half_commit;          /* commit keeps the content but not mode and times */
    bool late_full;            /* create does not look at the announced size: full only when writing */
    void (*before)(struct dory_ram_fs *ram, enum dory_ram_call call); /* e.g. swaps an object for a link; calls must not recurse */
};

void dory_ram_init(struct dory_ram_fs *ram, struct dory_ram_node *nodes, int node_count, struct dory_ram_block *blocks,
                   int block_count);

/* Direct access by path for set-up and inspection: no counting, no permission, links are not followed. A node number, or
   DORY_E_NOENT / DORY_E_NOSPC. Missing directories on the way are made. */
int dory_ram_find(const struct dory_ram_fs *ram, const char *path);
int dory_ram_put(struct dory_ram_fs *ram, const char *path, uint8_t type, uint16_t mode, const void *content, size_t n);
/* Bytes of a node's content from an offset; fewer at its end. */
size_t dory_ram_content(const struct dory_ram_fs *ram, int node, uint64_t offset, void *buf, size_t n);
/* How many handles are open, and how many nodes have no name (files under creation, or removed while open). */
int dory_ram_open_handles(const struct dory_ram_fs *ram);
int dory_ram_nameless(const struct dory_ram_fs *ram);

#endif
