/* A plugin for QEMU: how often each instruction of the guest was executed, "address count" a line, into the file out=. Debian's QEMU comes
   without qemu-plugin.h; these are the few prototypes of its version 1 that are needed here. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;
enum { QEMU_PLUGIN_INLINE_ADD_U64 };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, void (*translated)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *p, uint64_t value);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*ended)(qemu_plugin_id_t id, void *p), void *p);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv);

int qemu_plugin_version = 1;

struct block {
    struct block *next;
    uint64_t runs;
    size_t n;
    uint64_t address[];
};
static struct block *blocks;
static const char *out;

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    size_t n = qemu_plugin_tb_n_insns(tb);
    struct block *block = malloc(sizeof *block + n * sizeof block->address[0]);

    (void)id;
    if (!block)
        abort();
    block->next = blocks;
    block->runs = 0;
    block->n = n;
    for (size_t i = 0; i < n; i++)
        block->address[i] = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, i));
    blocks = block;
    qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &block->runs, 1);
}

static void ended(qemu_plugin_id_t id, void *p)
{
    FILE *file = fopen(out, "w");

    (void)id;
    (void)p;
    for (struct block *block = blocks; file && block; block = block->next)
        for (size_t i = 0; block->runs && i < block->n; i++)
            fprintf(file, "%" PRIx64 " %" PRIu64 "\n", block->address[i], block->runs);
    if (!file || fclose(file) != 0)
        perror(out);
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
    (void)info;
    if (argc != 1)
        return 1;
    out = argv[0] + sizeof "out=" - 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
