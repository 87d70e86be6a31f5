/* What tests of SCP share: a file system of one's own, who hears what, engines wired to each other or fed by hand. */
#ifndef SCP_KIT_H
#define SCP_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dory_ram_fs.h"
#include "dory_scp.h"

#define SCP_KIT_NODES 1200
#define SCP_KIT_BLOCKS 4000

/* What one side was told. Texts are appended, a line each. */
struct scp_ear {
    unsigned begins, ends, good_ends;
    uint64_t progress, size;
    int last_status;
    char path[DORY_SCP_PATH_MAX + DORY_NAME_MAX + 2]; /* of the present file */
    char begun[4096], messages[16384], errors[16384];
};

struct scp_disk {
    struct dory_ram_fs ram;
    struct dory_ram_node nodes[SCP_KIT_NODES];
    struct dory_ram_block blocks[SCP_KIT_BLOCKS];
};

/* Words resolved literally, as a program does with its arguments. */
struct scp_words {
    const char *words[8];
    unsigned at;
    struct dory_scp_path path;
};

/* One end: disk, engine, arguments, ear. */
struct scp_end {
    struct scp_disk disk;
    struct scp_ear ear;
    struct scp_words args;
    struct dory_scp_command command;
    struct dory_scp_config config;
    union {
        struct dory_stream stream;
        struct dory_scp_source source;
        struct dory_scp_sink sink;
    } engine;
};

struct scp_wire {
    size_t pull, push;   /* the most at once; 0: 4096 */
    bool keep;           /* keep transcripts of what was sent */
    uint8_t *sent[2];
    size_t sent_n[2];
};

extern const struct dory_transfer_events scp_kit_events;

/* Two ends; static in the kit because they are large. Reset by scp_kit_reset. */
extern struct scp_end scp_a, scp_b;
void scp_kit_reset(void);
int scp_kit_setup(void **state);
/* After every test: no handle open, no nameless file, on either disk. */
int scp_kit_teardown(void **state);

/* Engines over an end's disk; a NULL ends the words. Client role with arguments, server role with a command line. */
void scp_source(struct scp_end *end, unsigned flags, const char *first, ...);
void scp_sink(struct scp_end *end, unsigned flags, const char *target);
void scp_sink_names(struct scp_end *end, unsigned flags, const char *target, const char *const *names, size_t n);
int scp_serve(struct scp_end *end, const char *command_line);

/* Runs both until they end; asserts that they do. The exit statuses are in result[0] (a) and result[1] (b). */
void scp_run(struct scp_end *a, struct scp_end *b, struct scp_wire *wire, int result[2]);

/* Feeds a script to one engine, in bites, then eof; everything it says is in out (NUL behind it). Returns its status. */
int scp_feed(struct scp_end *end, const void *script, size_t n, size_t bite, char *out, size_t cap, size_t *said);

/* A text of the whole tree, sorted: type, mode, size, times (if asked), a sum of the content, path. */
enum { SCP_TREE_MODES = 1, SCP_TREE_TIMES = 2 };
char *scp_tree(const struct dory_ram_fs *ram, const char *below, unsigned what);
void scp_assert_same_tree(const char *below_a, const char *below_b, unsigned what);
/* Content as a string of at most 4095 bytes, in a static buffer; "(none)" if there is no such file. */
const char *scp_content(const struct dory_ram_fs *ram, const char *path);
void scp_put(struct scp_end *end, const char *path, const char *content);
/* n bytes of a pattern that depends on the path. */
void scp_fill(struct scp_end *end, const char *path, size_t n, uint16_t mode, int64_t mtime);

#endif
