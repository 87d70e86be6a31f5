/* A stream over two file descriptors: those of a program that sshd started, or of one that we start. */
#ifndef DORY_CLI_PIPE_H
#define DORY_CLI_PIPE_H

#include "dory_stream.h"

/* Moves bytes until the stream or the other side ends; the stream is stopped then. Its exit status, 1 where it did not end by itself. */
int dory_pipe_converse(struct dory_stream *stream, int in, int out);

/* The same with a program whose standard input and output are the other side. -1: there is no process for it, errno says why;
   one that is no program has said so itself. */
int dory_pipe_run(struct dory_stream *stream, char *const argv[]);

#endif
