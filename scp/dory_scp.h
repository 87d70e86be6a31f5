/* SCP, the protocol behind `scp -t` and `scp -f`: a source that sends files and a sink that receives them. Each is a dory_stream
 * (platform/dory_stream.h) over a dory_fs (platform/dory_fs.h), the same engine in the role of client and of server:
 *
 *                 source                       sink
 *   client role   `scp -t` runs at the peer    `scp -f` runs at the peer
 *   server role   a peer asked us `scp -f`     a peer asked us `scp -t`
 *
 * What differs between roles is in the config: where items come from, which names are accepted, who is told of events.
 * No allocation, no I/O: everything is inside the struct. Engines are moved by push and pull alone; while status() is DORY_E_AGAIN,
 * call pull again (push, when bytes came) whenever time has passed: a busy file system is retried there, and nowhere else.
 */
#ifndef DORY_SCP_H
#define DORY_SCP_H

#include "dory_fs.h"
#include "dory_stream.h"
#include "dory_transfer.h"

/* The longest path that messages show whole; of a longer one they leave out directories in the middle. */
#ifndef DORY_SCP_PATH_MAX
#define DORY_SCP_PATH_MAX DORY_COMMAND_MAX
#endif
/* One record or one message, in or out. A message that is longer is cut for display. */
#define DORY_SCP_LINE_MAX (4 * DORY_NAME_MAX + 32)

/* The options of the scp command; engines look at the first three. */
enum {
    DORY_SCP_RECURSE = 1, /* -r */
    DORY_SCP_TIMES = 2,   /* -p: times and full modes */
    DORY_SCP_DIR = 4,     /* -d: the target must be a directory (sink) */
    DORY_SCP_VERBOSE = 8,
    DORY_SCP_QUIET = 16,
    DORY_SCP_TO = 32,  /* -t: a sink is asked for */
    DORY_SCP_FROM = 64 /* -f: a source is asked for */
};

/* What a sink needs to receive directories. */
struct dory_scp_tree;
extern const struct dory_scp_tree dory_scp_tree;

/* Copied by the init functions; what it points to must outlive the engine. */
struct dory_scp_config {
    struct dory_fs *fs;
    unsigned flags; /* DORY_SCP_* */
    dory_transfer_item_fn item;
    void *item_ctx;
    const struct dory_transfer_events *events; /* may be NULL */
    void *events_ctx;
    const struct dory_scp_tree *tree; /* sink: &dory_scp_tree; or NULL, which takes no directories and does not link what that needs */
    /* Sink, client role: the last components of the paths that were asked for, as glob patterns. A top-level name that matches none is
       refused. The pattern "/" accepts one name of the server's choice (for `host:.`, `host:~`, `host:/`, whose names only it knows).
       NULL: accept any, the server role. */
    const char *const *names;
    size_t name_count;
    bool (*asked_for)(const struct dory_scp_config *config, const char *name, bool first); /* with names: dory_scp_asked_for */
};

/* A directory that is filled or read, or is about to be; and a file likewise. Private, as are all members below. */
struct dory_scp_level {
    struct dory_fs_info info; /* source: as it is; sink: as it was announced */
    int dir;
    uint16_t prefix; /* where names in it begin in `path` */
    bool times;   /* a T record came */
    bool created; /* by us, so that its mode is ours to finish */
    bool itself;  /* the target of the whole copy, whose mode and times stay */
};

/* The engines have one layout: small members first, which makes small code. */
struct dory_scp {
    struct dory_stream stream;
    uint8_t state; /* enum of the engine */
    uint8_t after; /* source: the state that follows a good reply */
    uint8_t depth; /* directories entered */
    bool sending;  /* `line` holds bytes for the peer */
    bool failed;   /* exit status 1 */
    bool ended;
    bool cut;      /* the peer sends no more */
    bool shown;    /* begin was called and end not yet */
    bool is_dir;   /* source: the present object is one; sink: the target is one, files go inside */
    bool slash;    /* sink: the target was written with a slash behind */
    bool seen;     /* sink: a top-level record was accepted */
    uint16_t line_len;  /* bytes gathered from the peer, or to be sent */
    uint16_t line_sent; /* of those to be sent */
    uint16_t line_lost; /* text beyond the room in `line` */
    uint16_t prefix;    /* where the last component begins in `path` */
    uint16_t target_len;
    int file;  /* the present file, or a directory before it is entered; or -1 */
    int dir;   /* source: that of the present item; sink: the target's; or -1 */
    int error; /* why the present file failed, enum dory_error */
    const char *name; /* of the present object, for the file system */
    const char *target_name;
    int (*drop)(struct dory_fs *fs, int handle); /* how `file` is closed when it is not committed */
    struct dory_scp_config config;
    uint64_t done; /* bytes of the present file */
    struct dory_scp_level present;
    struct dory_scp_level stack[DORY_SCP_DEPTH_MAX];
    char path[DORY_SCP_PATH_MAX + DORY_NAME_MAX + 2];
    char line[DORY_SCP_LINE_MAX];
};

struct dory_scp_source {
    struct dory_scp base;
};

struct dory_scp_sink {
    struct dory_scp base;
};

/* Both end by themselves: the source after the reply to its last record, the sink when the peer's eof() was told. After that, and once
   pull gives nothing more, status() is 0 (all transferred and committed) or 1. An engine that was only initialised owns nothing. */
void dory_scp_source_init(struct dory_scp_source *source, const struct dory_scp_config *config);
void dory_scp_sink_init(struct dory_scp_sink *sink, const struct dory_scp_config *config);

/* Shell glob: * ? [a-z] [!a-z] and backslash; a leading dot is matched only by a dot. `name` is one component. */
bool dory_scp_glob(const char *pattern, const char *name);

/* Whether `name`, the first one or a later, is among config->names. A server needs not link it, nor globs. */
bool dory_scp_asked_for(const struct dory_scp_config *config, const char *name, bool first);

/* One path, resolved below the root of a file system component by component, as an item or (globs) several in directory order.
 * Absolute and relative paths begin at the root, so do "~" and "~/". "." and double slashes are nothing; ".." takes back the component
 * before it (without looking at the file system); one that would climb above the root is refused with DORY_E_ACCESS.
 * Hidden names are not matched by a leading * or ?. Intermediate directories are opened with links followed as the fs allows; the last
 * component is not looked at unless it is a glob or follows one. The root itself is an item with `self` and the name "root". */
struct dory_scp_path {
    struct dory_fs *fs;
    const char *word;
    bool literal;
    uint8_t state, levels;
    bool matched;
    uint16_t pos;    /* of the next component in word */
    uint16_t prefix; /* of the next component in path */
    int dir;
    struct {
        int dir;
        uint16_t pos, prefix;
    } level[DORY_SCP_DEPTH_MAX];
    char name[DORY_NAME_MAX + 1];
    char path[DORY_SCP_PATH_MAX + DORY_NAME_MAX + 2];
};

/* `word` stays with the caller. Unless `literal`, globs in it are globs and a backslash takes the next character as it is. */
void dory_scp_path_begin(struct dory_scp_path *path, struct dory_fs *fs, const char *word, bool literal);
/* As dory_transfer_item_fn; an error ends the path (the following call gives 0). */
int dory_scp_path_next(struct dory_scp_path *path, struct dory_transfer_item *item);
/* Closes what is open; at any time, more than once. */
void dory_scp_path_stop(struct dory_scp_path *path);

/* A command line as an exec request brings it, parsed without a shell. */
struct dory_scp_words {
    unsigned flags;    /* DORY_SCP_*: exactly one of TO and FROM */
    const char *error; /* why parse refused, for the person */
    uint16_t next, end; /* the path words not yet used, in words */
    char words[DORY_COMMAND_MAX + 3];
};

/* `scp [-dprtfvq] -t|-f [--] path...` with the quoting of a shell and nothing else of it: ' " \ and unquoted globs; any unquoted
   $ ` ; | & < > ( ) # newline, and $ ` within "", is refused. DORY_OK, or DORY_E_PROTOCOL / DORY_E_SPACE with words->error set. */
int dory_scp_words_parse(struct dory_scp_words *words, const char *line, size_t n);
/* The next path as it was written, with a backslash before what was quoted; NULL: no more. Valid as long as words. */
const char *dory_scp_words_next(struct dory_scp_words *words);

/* The same with the paths resolved below the root of a file system that has directories. */
struct dory_scp_command {
    struct dory_scp_words words;
    struct dory_scp_path path;
};
int dory_scp_command_parse(struct dory_scp_command *command, struct dory_fs *fs, const char *line, size_t n); /* as dory_scp_words_parse */
/* The paths of the command: a dory_transfer_item_fn whose ctx is the command. */
int dory_scp_command_item(void *command, struct dory_transfer_item *item);
/* Closes what is open; at any time after parse, more than once. */
void dory_scp_command_stop(struct dory_scp_command *command);

/* The same for a file system that is one directory of few names, as a device has it: the root, or a name in it. No globs: a pattern is a
   name that is not there. */
struct dory_scp_flat {
    struct dory_scp_words words;
    struct dory_fs *fs;
    char name[DORY_NAME_MAX + 1];
};
int dory_scp_flat_parse(struct dory_scp_flat *flat, struct dory_fs *fs, const char *line, size_t n); /* as dory_scp_words_parse */
/* A dory_transfer_item_fn whose ctx is the flat. What it gives belongs to the engine: nothing to stop. */
int dory_scp_flat_item(void *flat, struct dory_transfer_item *item);

/* Client role: writes `scp -t -- path` (with the options of `flags`) for a remote shell into out, NUL-terminated; everything that a shell
   would act on is quoted, except a leading ~ or ~user and, with DORY_SCP_FROM, globs (backslash takes the next character as it is).
   The length, or DORY_E_SPACE. */
int dory_scp_command_format(char *out, size_t cap, unsigned flags, const char *path);

#endif
