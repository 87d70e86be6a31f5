#include <stdio.h>
#include <string.h>

#include "commands.h"

static int help(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("usage: dory scp [options] source ... target    copy files over SSH\n"
         "       dory serve [options]                    serve files over SSH; dory serve --help lists the options\n"
         "       dory keygen [options] -f FILE           make or look at a key\n"
         "       dory version\n"
         "\n"
         "A link to this program that is called scp runs dory scp.");
    return 0;
}

static int version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("dory " DORY_VERSION);
    return 0;
}

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"scp", dory_cmd_scp},  {"serve", dory_cmd_serve}, {"keygen", dory_cmd_keygen},
    {"help", help},         {"--help", help},          {"-h", help},
    {"version", version},   {"--version", version},    {"-V", version},
};

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const char *called = argc > 0 && argv[0] ? argv[0] : "dory";
    const char *slash = strrchr(called, '/');
    const struct command *command;

    if (strcmp(slash ? slash + 1 : called, "scp") == 0)
        return dory_cmd_scp(argc, argv);
    if (argc < 2) {
        help(argc, argv);
        return 2;
    }
    command = find(argv[1]);
    if (!command) {
        fprintf(stderr, "dory: there is no command \"%s\"; dory help lists them\n", argv[1]);
        return 2;
    }
    return command->run(argc - 1, argv + 1);
}
