/* A small journal made by hand, and the commands on it, run within the test. */
#ifndef KOUAN_TESTS_IO_BUILT_JOURNAL_H
#define KOUAN_TESTS_IO_BUILT_JOURNAL_H

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "io/cli/cli.h"
#include "tests/io/built_log.h"

enum { OUTPUT_BYTES = 256 * 1024, ARGUMENTS = 16 };

struct ran {
    enum cli_exit end;
    char *output; /* standard output, and what went to standard error */
};

/* `line`: arguments parted by blanks. */
static inline struct ran run(enum cli_exit (*command)(int, char **), const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline struct ran run(enum cli_exit (*command)(int, char **), const char *format, ...)
{
    char line[1024], path[] = "/tmp/kouan-output-XXXXXX";
    char *argv[ARGUMENTS + 1];
    int argc = 0;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    for (char *word = strtok(line, " "); word != NULL && argc < ARGUMENTS; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    int file = mkstemp(path), out = dup(STDOUT_FILENO), error = dup(STDERR_FILENO);
    fflush(stdout);
    fflush(stderr);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    struct ran ran = {.end = command(argc, argv), .output = calloc(1, OUTPUT_BYTES)};
    fflush(stdout);
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(error, STDERR_FILENO);
    cr_assert_geq(pread(file, ran.output, OUTPUT_BYTES - 1, 0), 0);
    close(file);
    close(out);
    close(error);
    unlink(path);
    return ran;
}

#define EXPECT(ran, text)                                                                          \
    cr_expect(strstr((ran).output, text) != NULL, "`%s` is not in: %s", text, (ran).output)
#define EXPECT_NOT(ran, text)                                                                      \
    cr_expect(strstr((ran).output, text) == NULL, "`%s` is in: %s", text, (ran).output)

/* Two segments: a group that has acknowledged the first of three messages; one held, one rejected
 * from its hold; one copied forward. */
struct journal {
    struct built_log *log;
    struct record_id first, second, third, held;
    uint64_t blocks[4];
};

static inline struct journal build(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    struct journal journal = {.log = built_open()};
    struct built_log *log = journal.log;
    built_generation(log);
    built_group(log, 5, 0, "erp", GROUP_CREATED, (struct record_id){0});
    built_group(log, 6, 1, "bi", GROUP_CREATED, (struct record_id){0});
    journal.first = built_message(log, 0, "SO-1")->id;
    journal.second = built_message(log, 0, "SO-2")->id;
    journal.blocks[0] = built_seal(log);
    journal.held = built_message(log, RECORD_HELD | 1, "SO-1")->id;
    journal.blocks[1] = built_seal(log);
    built_settled(log, 5, 0, journal.first, journal.first, 1);
    journal.blocks[2] = built_seal(log);
    built_next_segment(log);
    built_generation(log);
    built_group(log, 5, 0, "erp", GROUP_STANDS, journal.first)->account =
        (struct group_account){.offered = 2, .acknowledged = 1, .backlog = 1};
    built_group(log, 6, 1, "bi", GROUP_STANDS, (struct record_id){0});
    struct record_id last = log->last_id;
    struct record *copy = built_message(log, 0, "SO-2");
    copy->head.flags = RECORD_COPIED;
    copy->id = journal.second;
    log->last_id = last;
    struct fact_hold_end *end = built_record(log, sizeof *end, RECORD_KIND_HOLD_END);
    end->id = journal.held;
    end->destination = 1;
    end->how = HOLD_REJECTED;
    journal.third = built_message(log, 1, "SO-3")->id;
    journal.blocks[3] = built_seal(log);
    built_message(log, 1, "SO-4");
    built_seal(log);
    return journal;
}

static inline const char *id_text(struct record_id id)
{
    static char texts[4][48];
    static unsigned next;
    char *text = texts[next++ % 4];
    snprintf(text, sizeof texts[0], "%llu-%llu", (unsigned long long)id.ms,
             (unsigned long long)id.seq);
    return text;
}

#endif
