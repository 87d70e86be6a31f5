/* What tests of the SFTP server share: a file system of their own, requests written and answers read by hand. */
#ifndef SFTP_KIT_H
#define SFTP_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dory_ram_fs.h"
#include "dory_sftp.h"
#include "sftp_wire.h"

#define SFTPK_NODES  400
#define SFTPK_BLOCKS 4000
#define SFTPK_BYTES  (1 << 20)

/* One conversation. `in` is what the client says, `out` what the server said. */
struct sftpk {
    struct dory_ram_fs ram;
    struct dory_ram_node nodes[SFTPK_NODES];
    struct dory_ram_block blocks[SFTPK_BLOCKS];
    struct dory_sftp_server server;
    struct dory_sftp_config config;
    uint8_t in[SFTPK_BYTES], out[SFTPK_BYTES];
    size_t in_n, in_at, out_n, out_at;
    size_t push, pull; /* the most at once; 0: 32768 */
    uint32_t id;       /* of the last request */
    uint32_t answered; /* of the last answer read */
    unsigned opened, closed, good, changed, errors;
    uint64_t moved;
};

struct sftpk_answer {
    uint8_t type;
    uint32_t id;
    struct sftp_reader r;
};

extern struct sftpk k;

/* An empty disk and a new server. `begin` only the server; the disk stays. */
void sftpk_reset(void);
void sftpk_begin(void);
int sftpk_setup(void **state);
int sftpk_teardown(void **state);

/* Adds a request: 4 uint32_t, 8 uint64_t, s text, b bytes and size_t, h handle (uint32_t), a const struct sftp_attrs *.
   The identifier is one more than the last one's. */
void sftpk_ask(int type, const char *fields, ...);
void sftpk_init(void);
/* Says all that was asked and hears all that is answered, until nothing moves. */
void sftpk_run(void);
/* The same, then the end of the client; the exit status. */
int sftpk_end(void);

/* The next answer; fails where there is none. Identifiers are asserted to grow by one. */
struct sftpk_answer sftpk_answer(void);
void sftpk_expect(uint32_t status);
/* With its text. */
void sftpk_expect_text(uint32_t status, const char *text);
uint32_t sftpk_handle(void);
struct sftp_attrs sftpk_attrs(void);
/* A NAME answer's only name. */
const char *sftpk_name(void);
void sftpk_data(const void *bytes, size_t n);
void sftpk_nothing(void);

/* Whole uploads and the like, answers included. */
uint32_t sftpk_open(const char *path, uint32_t pflags);
void sftpk_write(uint32_t handle, uint64_t offset, const char *text);
void sftpk_close(uint32_t handle);
void sftpk_put(const char *path, const char *text);

/* Content as a string, "(none)" if there is no such file. */
const char *sftpk_content(const char *path);
void sftpk_file(const char *path, const char *text);

#endif
