/* The parts of `get`: the walk through what the host lists (sftp_get.c), names that wait for it (sftp_get_names.c), and files
   (sftp_get_file.c). */
#ifndef SFTP_GET_H
#define SFTP_GET_H

#include "sftp_client.h"

/* ---- Names. An entry that was listed: its info (type 0: the host must be asked) and its name. */
struct sftp_entry {
    struct dory_fs_info info;
    bool times;
    const char *name; /* until the next call */
};

void dory_i_sftp_names_begin(struct dory_sftp_client *c, struct dory_sftp_level *level);
/* dory_sftp_engine.entry */
void dory_i_sftp_names_add(struct dory_sftp_client *c, struct dory_sftp_level *level, struct sftp_slice name,
                           const struct sftp_attrs *attrs);
bool dory_i_sftp_names_next(struct dory_sftp_client *c, struct dory_sftp_level *level, struct sftp_entry *entry);
/* Is there room for one more answer? Makes some where it can. */
bool dory_i_sftp_names_have_room(struct dory_sftp_client *c, struct dory_sftp_level *level);
/* What is wrong with its listing. */
void dory_i_sftp_told_of(struct dory_sftp_client *c, const struct dory_sftp_level *level, const struct sftp_answer *answer);
/* The glob's component that names of the level must match, without backslashes taken out; false: too long. */
bool dory_i_sftp_pattern(const struct dory_sftp_client *c, const struct dory_sftp_level *level, char pattern[DORY_NAME_MAX + 1]);
void dory_i_sftp_info_of(struct dory_sftp_client *c, const struct sftp_attrs *attrs, struct dory_fs_info *info, bool *times);

/* ---- Files. The present object is one: asks for it. DORY_E_AGAIN: not now. */
int dory_i_sftp_fetch(struct dory_sftp_client *c);
bool dory_i_sftp_get_file_step(struct dory_sftp_client *c);
void dory_i_sftp_get_file_answer(struct dory_sftp_client *c, const struct dory_sftp_request *r, const struct sftp_answer *a);
size_t dory_i_sftp_get_data(struct dory_sftp_client *c, struct dory_sftp_request *r, const uint8_t *bytes, size_t n);
/* What a commit or a setinfo is to apply. */
unsigned dory_i_sftp_settings(const struct dory_sftp_client *c, bool times);

#endif
