/* Configuration files of ssh: what they say for one host. */
#ifndef DORY_CLI_CONFIG_H
#define DORY_CLI_CONFIG_H

#include "scp_sshopt.h"

/* Adds what the files say to the settings, in which nothing that is there is changed. host is as the person named it. file: of -F ("none":
   no file at all; it must exist and is then the only one); NULL: ~/.ssh/config and /etc/ssh/ssh_config, which may be missing. False: a file
   is wrong, and where has been said. */
bool dory_cli_config_read(struct dory_cli_ssh *settings, const char *file, const char *host);

/* What Host and Match look at. */
struct dory_cli_subject {
    const char *host;  /* what Host lines are about: as named by the person, or, in a final pass, as the settings name it */
    const char *named; /* by the person */
    bool final;        /* a second pass, asked for by `Match final` */
    bool wants_final;  /* set where that is met */
};

/* Inside: scp_match.c. The words of a Match line at place ("file line 3"): 1 it holds, 0 not, -1 with a sentence in why. */
int dory_cli_match(struct dory_cli_subject *subject, const struct dory_cli_ssh *settings, const struct dory_cli_words *words,
                   const char *place, char *why, size_t cap);

#endif
