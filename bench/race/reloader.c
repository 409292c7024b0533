#include "bench/race/reloader.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/wire/control.h"

enum {
    PATIENCE_MS = 5000,
    PATH_BYTES = SERVER_PATH_BYTES + 64,
    TABLE_BYTES_MAX = 16 * 1024 * 1024,
    WORD_BYTES = 16,
    OFFICE_FIRST = 5000, /* that no message names, nor any other rule */
    OFFICES = 100
};

struct reloader {
    pthread_t thread;
    struct control control;
    char path[PATH_BYTES]; /* of the table */
    char *table;           /* as it was */
    size_t table_size;
    _Atomic bool stops;
    enum status status; /* this and the counts are the thread's until it ends */
    struct reloader_counts counts;
};

/* Over all runs, since a server outlives its run: no table is like the one that it has loaded. */
static _Atomic uint64_t tables_taken;

static void *reload_on(void *context);
static enum status write_table(const struct reloader *reloader, const char *more);
static void free_reloader(struct reloader *reloader);

static enum status read_table(struct reloader *reloader)
{
    FILE *file = fopen(reloader->path, "r");
    if (file == NULL)
        return STATUS_IO;
    reloader->table_size = fread(reloader->table, 1, TABLE_BYTES_MAX, file);
    bool is_whole = ferror(file) == 0 && fgetc(file) == EOF;
    fclose(file);
    return is_whole ? STATUS_OK : STATUS_TOO_BIG;
}

enum status reloader_start(const struct server *server, struct reloader **out_reloader)
{
    char address[PATH_BYTES];
    struct target target;
    struct reloader *reloader = calloc(1, sizeof *reloader);
    if (reloader == NULL || (reloader->table = malloc(TABLE_BYTES_MAX)) == NULL) {
        free(reloader);
        return STATUS_NO_MEMORY;
    }
    snprintf(reloader->path, sizeof reloader->path, "%s/rules-1.csv", server->directory);
    snprintf(address, sizeof address, "unix:%s/kouan-journal/control.sock", server->directory);
    enum status status = read_table(reloader);
    if (status == STATUS_OK)
        status = target_parse(address, &target);
    if (status != STATUS_OK ||
        (status = control_open(&reloader->control, &target, NULL, PATIENCE_MS)) != STATUS_OK) {
        free_reloader(reloader);
        return status;
    }
    if (pthread_create(&reloader->thread, NULL, reload_on, reloader) != 0) {
        control_close(&reloader->control);
        free_reloader(reloader);
        return STATUS_NO_MEMORY;
    }
    *out_reloader = reloader;
    return STATUS_OK;
}

enum status reloader_stop(struct reloader *reloader, struct reloader_counts *out_counts)
{
    atomic_store(&reloader->stops, true);
    pthread_join(reloader->thread, NULL);
    control_close(&reloader->control);
    enum status status = reloader->status;
    if (status == STATUS_OK)
        status = write_table(reloader, "");
    *out_counts = reloader->counts;
    free_reloader(reloader);
    return status;
}

static void free_reloader(struct reloader *reloader)
{
    free(reloader->table);
    free(reloader);
}

/* ---- The thread ------------------------------------------------------------------------------ */

static enum status write_table(const struct reloader *reloader, const char *more)
{
    FILE *file = fopen(reloader->path, "w");
    if (file == NULL)
        return STATUS_IO;
    fwrite(reloader->table, 1, reloader->table_size, file);
    fputs(more, file);
    bool is_written = ferror(file) == 0;
    return fclose(file) == 0 && is_written ? STATUS_OK : STATUS_IO;
}

static enum status reload(struct reloader *reloader, const char *more, const char *due)
{
    char word[WORD_BYTES];
    enum status status = write_table(reloader, more);
    if (status == STATUS_OK)
        status = control_ask_first(&reloader->control, "KOUAN RELOAD", word, sizeof word);
    if (status != STATUS_OK || strcmp(word, due) == 0)
        return status;
    fprintf(stderr, "kouan-bench: a reload was answered by `%s`, and not by `%s`\n", word, due);
    return STATUS_INVALID;
}

static void *reload_on(void *context)
{
    struct reloader *reloader = context;
    char more[128];
    for (uint64_t i = 0; reloader->status == STATUS_OK && (!atomic_load(&reloader->stops) || i < 2);
         i++) {
        bool is_right = i % 2 == 0;
        snprintf(more, sizeof more, "reloaded,0,RELOADED,%" PRIu64 ",%s,\n",
                 OFFICE_FIRST + atomic_load(&tables_taken) % OFFICES, is_right ? "all" : "nowhere");
        reloader->status = reload(reloader, more, is_right ? "ok" : "refused");
        atomic_fetch_add(&tables_taken, is_right);
        if (reloader->status == STATUS_OK)
            *(is_right ? &reloader->counts.taken : &reloader->counts.refused) += 1;
    }
    return NULL;
}
