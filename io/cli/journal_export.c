/* kouan journal export: the messages as they came in. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/cli/logbook.h"
#include "io/cli/output.h"

struct export
{
    struct logbook_place place;
    struct logbook_filter filter;
    const char *folder_path; /* NULL: one stream */
    int folder;
    struct log_reader reader;
    struct logbook_names names;
    struct logbook_groups groups;
    struct logbook_once once;
    uint64_t exported, exported_bytes, gaps;
};

static enum cli_exit export_all(struct export *export);

enum cli_exit cli_journal_export(int argc, char **argv)
{
    struct export export = {.place.command = "journal export", .filter.messages_only = true};
    const struct argument arguments[] = {
        LOGBOOK_PLACE_ARGUMENTS(export.place),
        LOGBOOK_FILTER_ARGUMENTS(export.filter),
        {.letter = 'o',
         .name = "output",
         .kind = ARGUMENT_TEXT,
         .target = &export.folder_path,
         .value = "FOLDER",
         .help = "a file ID.body for each message, in a folder that is made"},
    };
    const struct argument_page page = {
        .command = "journal export",
        .operands = "[FOLDER]",
        .about = "Writes the messages of a journal as they came in, each once, in their order,\n"
                 "with a line of JSON that says what `journal show --json` does: into files, with\n"
                 "the lines on standard output, or, without --output, as one stream: the line of\n"
                 "each message says `bytes`, and that many bytes and a line end follow it.\n"
                 "A part of an interchange has its envelope (UNA, UNB, UNG) before it:\n"
                 "`envelope_bytes` of these bytes.",
        .epilogue = "Exit code: 0, or 1 if something cannot be read or written.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_max = 1,
    };
    int first;
    enum cli_exit exit_code;
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    export.place.folder = first < argc ? argv[first] : NULL;
    exit_code = logbook_filter_parse("journal export", &export.filter);
    if (exit_code != CLI_OK)
        return exit_code;
    if (export.folder_path == NULL && output_is_terminal(stdout))
        return arguments_fail("journal export", "bodies are not for a terminal: name a folder by "
                                                "--output, or send them elsewhere");
    return export_all(&export);
}

/* ---- one message ---- */

static bool write_all(int file, struct bytes bytes)
{
    while (bytes.size > 0) {
        ssize_t written = write(file, bytes.data, bytes.size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes = bytes_slice(bytes, (size_t)written, bytes.size);
    }
    return true;
}

static bool write_file(const struct export *export, const struct record *record)
{
    char name[64];
    snprintf(name, sizeof name, "%" PRIu64 "-%" PRIu64 ".body", record->id.ms, record->id.seq);
    int file = openat(export->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = file >= 0 && write_all(file, record_whole(record));
    if (!ok)
        fprintf(stderr, "kouan journal export: cannot write %s/%s: %s\n", export->folder_path, name,
                strerror(errno));
    if (file >= 0 && close(file) != 0)
        ok = false;
    return ok;
}

static enum status export_record(void *context, const struct record_head *head, uint64_t position,
                                 const struct block_header *block)
{
    struct export *export = context;
    struct logbook_item item = logbook_item_of(&export->reader, head, position, block);
    if (head->kind == RECORD_KIND_GENERATION)
        logbook_names_learn(&export->names, (const struct fact_generation *)(const void *)head);
    const struct record *record = logbook_item_message(&item);
    if (record == NULL || record->cause != RECORD_MESSAGE ||
        !logbook_once_takes(&export->once, record) ||
        !logbook_filter_holds(&export->filter, &export->names, &item))
        return STATUS_OK;
    const struct logbook_words words = {.names = &export->names, .groups = &export->groups};
    struct bytes whole = record_whole(record);
    if (export->folder_path != NULL && !write_file(export, record))
        return STATUS_IO;
    logbook_print_export(&words, &item);
    if (export->folder_path == NULL) {
        fwrite(whole.data, 1, whole.size, stdout);
        putchar('\n');
    }
    export->exported++;
    export->exported_bytes += whole.size;
    return ferror(stdout) ? STATUS_IO : STATUS_OK;
}

static enum status export_gap(void *context, const struct log_gap *gap)
{
    struct export *export = context;
    fprintf(stderr,
            "kouan journal export: positions %" PRIu64 " to %" PRIu64 " cannot be read: "
            "%s\n",
            gap->from, gap->to, gap->reason);
    export->gaps += gap->loses_blocks;
    return STATUS_OK;
}

/* ---- all ---- */

static bool make_folder(struct export *export)
{
    if (export->folder_path == NULL)
        return true;
    if (mkdir(export->folder_path, 0700) != 0 && errno != EEXIST) {
        fprintf(stderr, "kouan journal export: cannot make %s: %s\n", export->folder_path,
                strerror(errno));
        return false;
    }
    export->folder = open(export->folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (export->folder < 0)
        fprintf(stderr, "kouan journal export: cannot open %s: %s\n", export->folder_path,
                strerror(errno));
    return export->folder >= 0;
}

static enum cli_exit export_log(void *context, const struct log_reader *reader)
{
    struct export *export = context;
    struct log_walk walk;
    if (export->folder < 0 && !make_folder(export))
        return CLI_INVALID;
    export->reader = *reader;
    logbook_names_open(&export->reader, &export->names);
    const struct log_handler handler = {
        .record = export_record, .gap = export_gap, .context = export};
    enum status status =
        log_walk(reader, logbook_filter_first_segment(&export->filter, reader), &handler, &walk);
    logbook_once_close(&export->once);
    logbook_names_close(&export->names);
    return status == STATUS_OK ? CLI_OK : CLI_INVALID;
}

static enum cli_exit export_all(struct export *export)
{
    export->folder = -1;
    export->place.without_titles = true;
    enum cli_exit end = logbook_each(&export->place, export_log, export);
    if (fflush(stdout) != 0)
        end = CLI_INVALID;
    if (export->reader.log_count > 0)
        fprintf(stderr, "%" PRIu64 " messages of %" PRIu64 " bytes\n", export->exported,
                export->exported_bytes);
    if (export->folder >= 0)
        close(export->folder);
    return export->gaps == 0 ? end : CLI_INVALID;
}
