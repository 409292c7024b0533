#include "io/reload/reload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "io/reload/reload_inside.h"
#include "io/shard/server_inside.h"

enum { LOADER_NICE = 10 };

static void *run(void *context);
static void carry_out(struct reload *reload, const struct reload_request *request);

/* ---- open and close ---- */

static bool has_journal(const struct reload *reload)
{
    return reload->start->sync == SYNC_COMMIT;
}

static uint32_t list_folders(const struct reload *reload,
                             const char *out_folders[GENERATION_FOLDERS_MAX])
{
    for (uint32_t i = 0; i < reload->store.folder_count; i++)
        out_folders[i] = reload->store.folders[i];
    return reload->store.folder_count;
}

static uint64_t read_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t read_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool note_history(struct reload *reload, uint64_t wall_ms, const char *what)
{
    const char *folders[GENERATION_FOLDERS_MAX];
    struct history_item item = {.wall_ms = wall_ms,
                                .number = reload->current.names->names.number,
                                .manifest = reload->current.names->manifest};
    snprintf(item.what, sizeof item.what, "%s", what);
    uint32_t count = list_folders(reload, folders);
    return history_add(&reload->history, folders, count, &item) == STATUS_OK;
}

static enum status open_store(struct reload *reload)
{
    if (!has_journal(reload))
        return history_open(NULL, &reload->history);
    enum status status = generation_store_open(reload->start->journal_path,
                                               reload->start->spare_path, &reload->store);
    return status == STATUS_OK ? history_open(reload->store.folders[0], &reload->history) : status;
}

enum status reload_open(struct server *server, struct reload **out_reload)
{
    struct reload *reload = calloc(1, sizeof *reload);
    if (reload == NULL)
        return STATUS_NO_MEMORY;
    reload->server = server;
    reload->start = server->settings.config;
    reload->current.config = reload->start;
    pthread_mutex_init(&reload->lock, NULL);
    sem_init(&reload->asked, 0, 0);
    enum status status = open_store(reload);
    if (status == STATUS_OK)
        status = reload_name(reload->start, &reload->current.names);
    if (status == STATUS_OK)
        status = rule_totals_open(reload->start->generation, read_wall_ms(), &reload->totals);
    if (status == STATUS_OK && !note_history(reload, read_wall_ms(), "start"))
        fprintf(stderr, "kouan: the history of generations cannot be written in %s\n",
                reload->store.folders[0]);
    if (status == STATUS_OK && pthread_create(&reload->thread, NULL, run, reload) != 0)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK) {
        *out_reload = reload;
        return STATUS_OK;
    }
    atomic_store(&reload->ends, true); /* there is no thread */
    reload_close(reload);
    return status;
}

static void free_names(struct reload *reload)
{
    struct reload_names *names = reload->current.names;
    while (names != NULL) {
        struct reload_names *before = names->before;
        arena_deinit(&names->arena);
        free(names);
        names = before;
    }
}

void reload_stop(struct reload *reload)
{
    if (reload == NULL || atomic_exchange(&reload->ends, true))
        return;
    sem_post(&reload->asked);
    pthread_join(reload->thread, NULL);
}

void reload_close(struct reload *reload)
{
    if (reload == NULL)
        return;
    reload_stop(reload);
    reload_drop_reroute(reload);
    if (reload->torn.config != NULL)
        reload_drop(&reload->torn);
    if (reload->current.config != reload->start)
        reload_unload(&reload->current);
    free_names(reload);
    rule_totals_close(&reload->totals);
    history_close(&reload->history);
    free(reload->answer.text);
    pthread_mutex_destroy(&reload->lock);
    sem_destroy(&reload->asked);
    free(reload);
}

/* ---- asking ---- */

bool reload_ask(struct reload *reload, const struct reload_request *request)
{
    pthread_mutex_lock(&reload->lock);
    bool is_free = !reload->is_busy;
    if (is_free) {
        reload->is_busy = reload->has_request = true;
        atomic_store(&reload->is_abandoned, false);
        reload->request = *request;
    }
    pthread_mutex_unlock(&reload->lock);
    if (is_free)
        sem_post(&reload->asked);
    return is_free;
}

void reload_abandon(struct reload *reload)
{
    atomic_store(&reload->is_abandoned, true);
}

bool reload_take_answer(struct reload *reload, struct reload_answer *out_answer)
{
    pthread_mutex_lock(&reload->lock);
    bool is_there = reload->has_answer;
    if (is_there) {
        *out_answer = reload->answer;
        reload->answer = (struct reload_answer){0};
        reload->has_answer = reload->is_busy = false;
    }
    pthread_mutex_unlock(&reload->lock);
    return is_there;
}

void reload_ask_by_signal(struct reload *reload)
{
    atomic_store(&reload->is_signalled, true);
    sem_post(&reload->asked);
}

/* ---- the thread ---- */

/* It may run wherever the process might, whichever processor its maker is pinned to. */
static void step_back(const struct reload *reload)
{
    const struct server *server = reload->server;
    pthread_setname_np(pthread_self(), "kouan-loader");
    if (CPU_COUNT(&server->processors) > 0)
        pthread_setaffinity_np(pthread_self(), sizeof server->processors, &server->processors);
    setpriority(PRIO_PROCESS, (id_t)gettid(), LOADER_NICE);
}

static bool take_request(struct reload *reload, struct reload_request *out_request)
{
    pthread_mutex_lock(&reload->lock);
    bool is_there = reload->has_request;
    if (is_there)
        *out_request = reload->request;
    reload->has_request = false;
    pthread_mutex_unlock(&reload->lock);
    return is_there;
}

static bool changes(const struct reload_request *request)
{
    return request->kind == RELOAD_FILES || request->kind == RELOAD_APPLY ||
           request->kind == RELOAD_ROLLBACK;
}

static struct reload_answer answer(struct reload *reload, const struct reload_request *request)
{
    struct reload_answer answer = {0};
    reload->out = open_memstream(&answer.text, &answer.size);
    if (reload->out == NULL)
        abort(); /* out of memory */
    reload->word = "refused";
    carry_out(reload, request);
    fclose(reload->out);
    answer.word = reload->word;
    if (changes(request))
        fprintf(stderr, "kouan: reload by %s: %s\n%s", request->by, answer.word, answer.text);
    return answer;
}

/* Shards may still count into the minute that has just ended. */
enum { MINUTE_SETTLES_MS = 2000 };

/* Until it is asked, or a minute is to be saved: false. */
static bool wait(struct reload *reload)
{
    uint64_t at_ms = reload->save_at_ms;
    const struct timespec at = {.tv_sec = (time_t)(at_ms / 1000),
                                .tv_nsec = (long)(at_ms % 1000) * 1000000};
    return sem_clockwait(&reload->asked, CLOCK_REALTIME, &at) == 0;
}

static void save_minutes(struct reload *reload)
{
    uint64_t now_ms = read_wall_ms(), minute_ms = now_ms / MINUTE_MS * MINUTE_MS;
    if (now_ms < reload->save_at_ms && reload->save_at_ms - now_ms <= 2 * MINUTE_MS)
        return;
    if (reload->save_at_ms > 0)
        minutes_save(&reload->server->minutes, minute_ms);
    reload->save_at_ms = minute_ms + MINUTE_MS + MINUTE_SETTLES_MS;
}

static void *run(void *context)
{
    struct reload *reload = context;
    struct reload_request request;
    step_back(reload);
    save_minutes(reload);
    while (!atomic_load(&reload->ends)) {
        bool is_asked = wait(reload);
        save_minutes(reload);
        if (!is_asked)
            continue;
        if (atomic_exchange(&reload->is_signalled, false)) {
            struct reload_answer said =
                answer(reload, &(struct reload_request){.kind = RELOAD_FILES, .by = "SIGHUP"});
            free(said.text);
        }
        if (!take_request(reload, &request))
            continue;
        struct reload_answer said = answer(reload, &request);
        pthread_mutex_lock(&reload->lock);
        reload->answer = said;
        reload->has_answer = true;
        pthread_mutex_unlock(&reload->lock);
        server_wake_first(reload->server);
    }
    return NULL;
}

/* ---- what is asked ---- */

/* In one of the folders at least: after a failure of its disk the journal goes on in the other. */
static bool store(struct reload *reload, const struct config *config, uint64_t number)
{
    char problem[1024] = "";
    bool is_stored = reload->store.folder_count == 0;
    for (uint32_t i = 0; i < reload->store.folder_count; i++) {
        struct generation_store one = {.folder_count = 1};
        memcpy(one.folders[0], reload->store.folders[i], sizeof one.folders[0]);
        is_stored |=
            generation_store_put(&one, config, number, problem, sizeof problem) == STATUS_OK;
    }
    if (!is_stored)
        fprintf(reload->out, "%s; nothing has changed\n", problem);
    return is_stored;
}

/* What ran goes: no shard names it any more. */
static void replace_current(struct reload *reload, struct reload_loaded *next)
{
    struct reload_loaded before = reload->current;
    reload->server->minutes.generation = next->config->generation;
    if (before.config == reload->start)
        config_let_generation_go(reload->start);
    else
        reload_unload(&before);
    next->names->before = before.names;
    reload->current = *next;
    reload->rehearsed.is_there = false; /* it was beside what ran */
}

static void swap_to(struct reload *reload, struct reload_loaded *next, uint64_t began_ns,
                    const char *what)
{
    struct swap_result result;
    struct fact_generation fact = {.number = next->names->names.number, .wall_ms = read_wall_ms()};
    static_assert(sizeof fact.manifest == sizeof next->names->manifest, "both are SHA-256");
    memcpy(fact.manifest, &next->names->manifest, sizeof fact.manifest);
    uint64_t loaded_ns = read_ns();
    if (!store(reload, next->config, fact.number)) {
        reload_drop(next);
        return;
    }
    uint64_t stored_ns = read_ns();
    reload_drop_reroute(reload); /* it decides by what ran */
    if (!server_swap(reload->server, next->config->generation, &next->names->names, &fact,
                     &result)) {
        fprintf(reload->out, "%s; nothing has changed\n", result.problem);
        if (result.is_torn) /* shards that end name it until they have ended */
            reload->torn = *next;
        else
            reload_drop(next);
        return;
    }
    uint64_t swapped_ns = read_ns();
    reload->word = "ok";
    fprintf(reload->out, "generation %" PRIu64 " decides now, in place of %" PRIu64 "\n",
            fact.number, reload->current.names->names.number);
    reload_report_changes(reload->out, next);
    if (result.cut_sessions > 0)
        fprintf(reload->out, "%u connection%s cut\n", result.cut_sessions,
                result.cut_sessions == 1 ? "" : "s");
    if (result.problem[0] != '\0')
        fprintf(reload->out, "but: %s\n", result.problem);
    fprintf(reload->out, "loaded in %.1f ms, stored in %.1f ms, swapped in %.1f ms\n",
            (double)(loaded_ns - began_ns) / 1e6, (double)(stored_ns - loaded_ns) / 1e6,
            (double)(swapped_ns - stored_ns) / 1e6);
    reload_stats_advance(reload, next->config->generation, fact.wall_ms);
    replace_current(reload, next);
    if (!note_history(reload, fact.wall_ms, what))
        fputs("but: this could not be written into the history\n", reload->out);
}

static void load_and_swap(struct reload *reload, const struct reload_request *request)
{
    struct reload_loaded next;
    char what[HISTORY_WHAT_BYTES];
    uint64_t number = request->number, began_ns = read_ns();
    bool is_rollback = request->kind == RELOAD_ROLLBACK, applies = request->kind == RELOAD_APPLY;
    if (applies && !reload_is_rehearsed(reload, request))
        return;
    if (is_rollback && reload->store.folder_count == 0) {
        fputs("without a journal no generation is stored; nothing has changed\n", reload->out);
        return;
    }
    if (is_rollback && number == 0)
        number = history_number_before(&reload->history);
    if (is_rollback && number == 0) {
        fputs("no other generation ran before this; nothing has changed\n", reload->out);
        return;
    }
    if (is_rollback)
        snprintf(what, sizeof what, "rollback to %" PRIu64 " by %s", number, request->by);
    else
        snprintf(what, sizeof what, "reload by %s", request->by);
    if (!(is_rollback ? reload_load_stored(reload, number, &next)
                      : reload_load_files(reload, &next)))
        return;
    if (applies && !reload_is_candidate(reload, &next)) {
        reload_drop(&next);
        return;
    }
    if (reload_is_same(&reload->current, &next)) {
        reload->word = "unchanged";
        fprintf(reload->out, "generation %" PRIu64 " goes on: nothing is new\n",
                reload->current.names->names.number);
        reload_drop(&next);
        return;
    }
    swap_to(reload, &next, began_ns, what);
    if (is_rollback && strcmp(reload->word, "ok") == 0)
        fputs("the configuration's files were not touched: put them back, too, for the next "
              "reload, or start, takes them\n",
              reload->out);
}

static void load(struct reload *reload, const struct reload_request *request)
{
    diagnostics_init(&reload->diagnostics);
    if (changes(request))
        load_and_swap(reload, request);
    else if (request->kind == RELOAD_REHEARSE)
        reload_rehearse(reload, request);
    else
        reload_report_difference(reload);
    if (reload->diagnostics.error_count == 0) /* else they are told already */
        diagnostics_print(&reload->diagnostics, reload->out);
    diagnostics_deinit(&reload->diagnostics);
}

static void report_minutes(struct reload *reload, const struct minute_choice *choice)
{
    const struct minutes *minutes = &reload->server->minutes;
    if (minutes->tables == NULL) {
        fputs("nothing is counted by the minute: `stats_span` is 0\n", reload->out);
        return;
    }
    minute_report_print(minutes, choice, read_wall_ms(), reload->out);
    reload->word = "ok";
}

static void carry_out(struct reload *reload, const struct reload_request *request)
{
    switch (request->kind) {
    case RELOAD_FILES:
    case RELOAD_REHEARSE:
    case RELOAD_APPLY:
    case RELOAD_ROLLBACK:
    case RELOAD_DIFF: load(reload, request); return;
    case RELOAD_SHOW:
        reload->word = "ok";
        reload_report_current(reload->out, reload);
        return;
    case RELOAD_HISTORY:
        reload->word = "ok";
        reload_report_history(reload->out, reload);
        return;
    case RELOAD_STATS:
        if (reload_stats_report(reload->out, reload, &request->stats))
            reload->word = "ok";
        return;
    case RELOAD_MINUTES: report_minutes(reload, &request->minutes); return;
    case RELOAD_REROUTE: reload_plan_reroute(reload, request); return;
    case RELOAD_REROUTE_APPLY: reload_carry_out_reroute(reload, request); return;
    }
}
