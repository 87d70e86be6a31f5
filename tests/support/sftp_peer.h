/* A small SFTP server over a RAM file system, written from the draft and not from sftp/, for tests of the client: it can be told to answer in
 * many odd ways. And what drives a client engine against it. */
#ifndef SFTP_PEER_H
#define SFTP_PEER_H

#include "dory_sftp_client.h"
#include "scp_kit.h"

enum { PEER_STATUS = 101, PEER_HANDLE = 102, PEER_DATA = 103, PEER_NAME = 104, PEER_ATTRS = 105, PEER_EXTENDED_REPLY = 201 };

struct sftp_peer {
    struct dory_ram_fs *ram;
    /* How it is to be; all 0: as OpenSSH's. */
    size_t read_most;    /* bytes of an answer to SSH_FXP_READ */
    unsigned list_most;  /* names of one answer, 0: 100 */
    bool plain;          /* no extensions */
    bool bare;           /* names and stat answers without attributes but the type */
    bool backwards;      /* answers that wait for each other are given in turned order */
    uint64_t limit_read, limit_write, limit_handles;
    unsigned refuse;     /* requests of this type are refused with `refuse_with` */
    unsigned refuse_with;
    unsigned refuse_skip; /* but so many of them are served first */
    const char *home;     /* "~" */
    /* A test's own answer to a request: true where it has given one. */
    bool (*answers)(struct sftp_peer *peer, unsigned type, uint32_t id, const uint8_t *body, size_t n);

    /* What it saw. */
    unsigned requests[256], handles_open, handles_most, in_flight_most;
    uint64_t read_asked;
    size_t longest_write;

    size_t in_n, out_n, out_at;
    uint8_t in[1 << 19], out[1 << 22];
    size_t starts[4096]; /* of answers in `out` that were not taken yet */
    unsigned starts_n;
    struct {
        bool used, listed;
        int node, cursor;
    } handles[512];
};

void sftp_peer_init(struct sftp_peer *peer, struct dory_ram_fs *ram);
void sftp_peer_push(struct sftp_peer *peer, const uint8_t *bytes, size_t n);
size_t sftp_peer_pull(struct sftp_peer *peer, uint8_t *buf, size_t cap);

/* For a test's own answers: a packet; its parts. */
void sftp_peer_say(struct sftp_peer *peer, unsigned type, uint32_t id, const void *body, size_t n);
void sftp_peer_status(struct sftp_peer *peer, uint32_t id, unsigned code, const char *text);

/* Runs an engine against the peer until it ends; `up` and `down` bytes at most in one go (0: many). Its exit status. */
int sftp_run(struct dory_stream *client, struct sftp_peer *peer, size_t up, size_t down);

#endif
