/* Reading and writing the data types of RFC 4251 5. Both cursors carry one sticky flag, checked once a message. */
#ifndef DORY_SSH_WIRE_H
#define DORY_SSH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dory_reader {
    const uint8_t *p, *end;
    bool bad;
};

struct dory_slice {
    const uint8_t *p;
    size_t n;
};

struct dory_writer {
    uint8_t *p, *end;
    bool bad;
};

uint32_t dory_i_load32(const uint8_t *p);
void dory_i_store32(uint8_t *p, uint32_t v);

uint8_t dory_i_get8(struct dory_reader *r);
uint32_t dory_i_get32(struct dory_reader *r);
struct dory_slice dory_i_get_string(struct dory_reader *r);
bool dory_i_at_end(const struct dory_reader *r); /* all read, nothing bad */

uint8_t *dory_i_put(struct dory_writer *w, size_t n); /* room for n bytes; NULL and bad where there is none */
void dory_i_put8(struct dory_writer *w, uint8_t v);
void dory_i_put32(struct dory_writer *w, uint32_t v);
void dory_i_put_bytes(struct dory_writer *w, const void *p, size_t n);
void dory_i_put_string(struct dory_writer *w, const void *p, size_t n);
void dory_i_put_text(struct dory_writer *w, const char *text);

bool dory_i_is(struct dory_slice s, const char *text);
/* The next name of a comma-separated name-list, cut off its front; false at the end. */
bool dory_i_next_name(struct dory_slice *list, struct dory_slice *name);

#endif
