#include "io/cli/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "io/file.h"

static const struct subcommand subcommands[] = {
    {"replay", audit_replay},
    {"seal", audit_seal},
    {"prove", audit_prove},
    {"check", audit_check},
};
enum { SUBCOMMAND_COUNT = sizeof subcommands / sizeof *subcommands };

enum cli_exit cli_audit(int argc, char **argv)
{
    static const struct argument_page page = {
        .command = "audit",
        .operands = "replay|seal|prove|check ...",
        .about = "replay  decides every message of a journal again, and compares\n"
                 "seal    seals the closed segments of a journal with a key, each upon the one\n"
                 "        before\n"
                 "prove   makes a small file that proves one message, by a sealed segment\n"
                 "check   checks such a file with the key alone, without the journal",
        .epilogue = "`kouan audit replay --help` says more of one; docs/audit.md, of all.",
        .operands_min = 1,
        .operands_max = OPERANDS_ANY,
    };
    return arguments_run_subcommand(&page, subcommands, SUBCOMMAND_COUNT, argc, argv);
}

enum cli_exit audit_read_key(const char *command, const char *path, struct arena *arena,
                             struct bytes *out_key)
{
    struct bytes content;
    if (path == NULL)
        return arguments_fail(command, "with which key? --key-file FILE");
    enum status status = file_read(arena, path, SEAL_KEY_BYTES_MAX, &content, NULL);
    if (status != STATUS_OK) {
        fprintf(stderr, "kouan %s: cannot read the key %s: %s\n", command, path,
                status_text(status));
        return CLI_INVALID;
    }
    content = bytes_trim(content);
    if (content.size < SEAL_KEY_BYTES_MIN) {
        fprintf(stderr,
                "kouan %s: the key in %s has %zu bytes; make one of %d or more: openssl rand -hex "
                "32\n",
                command, path, content.size, SEAL_KEY_BYTES_MIN);
        return CLI_INVALID;
    }
    *out_key = content;
    return CLI_OK;
}

enum status audit_read_seal(const struct log_reader *reader, uint64_t segment,
                            struct seal_text *out_text, struct seal *out_seal)
{
    int file = log_reader_open_beside(reader, segment, "seal");
    if (file < 0)
        return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    ssize_t got = read(file, out_text->text, sizeof out_text->text);
    close(file);
    if (got < 0)
        return STATUS_IO;
    out_text->size = (size_t)got;
    return seal_parse(bytes_make(out_text->text, out_text->size), out_seal);
}
