#include "io/shard/shard.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/delivery/errand.h"
#include "io/delivery/group.h"
#include "io/front/session.h"
#include "io/loop/slice.h"

enum { NS_PER_MS = 1000000, REPLIES = 8 /* long ones on their way, and the one that is written */ };

static void abort_session(struct connection *connection, void *context);
static void list_generation(struct shard *shard);
static enum status open_parts(struct shard *shard, const struct shard_settings *settings,
                              char *out_problem, size_t problem_capacity);
static void run_turn(struct loop *loop, struct deferral *deferral);
static void on_wake(struct loop *loop, void *context);

/* ---- open and close ---- */

enum status shard_open(const struct shard_settings *settings, struct shard **out_shard,
                       char *out_problem, size_t problem_capacity)
{
    struct shard *shard = NULL;
    struct shard_log_start start;
    enum status status = shard_reserve(settings, &shard, out_problem, problem_capacity);
    if (status == STATUS_OK)
        status = shard_recover(shard, out_problem, problem_capacity);
    if (status == STATUS_OK)
        status = shard_log_choose_start(&shard, 1, &start, out_problem, problem_capacity);
    if (status == STATUS_OK)
        status = shard_begin(shard, &start, out_problem, problem_capacity);
    if (status == STATUS_OK)
        status = shard_listen(shard, NULL, out_problem, problem_capacity);
    if (status == STATUS_OK)
        *out_shard = shard;
    else if (shard != NULL)
        shard_close(shard);
    return status;
}

enum status shard_reserve(const struct shard_settings *settings, struct shard **out_shard,
                          char *out_problem, size_t problem_capacity)
{
    snprintf(out_problem, problem_capacity,
             "not enough memory for what the configuration reserves; lower `memory`, "
             "`window_entries` or `backlog_max`");
    struct shard *shard = calloc(1, sizeof *shard);
    if (shard == NULL)
        return STATUS_NO_MEMORY;
    (void)slice_shorten();
    *out_shard = shard;
    shard->config = settings->config;
    shard->number = settings->number;
    shard->family = settings->family;
    if (shard->family != NULL) {
        shard->mesh = mesh_end(shard->family->mesh, shard->number);
        shard->rooms = &shard->family->rooms;
    }
    shard->minutes = settings->minutes;
    shard->minutes_saved_ms = settings->minutes_saved_ms;
    shard->log.recovering = settings->recovering;
    shard->log.recovering_context = settings->context;
    shard->generation = settings->config->generation;
    list_generation(shard);
    return open_parts(shard, settings, out_problem, problem_capacity);
}

static void list_generation(struct shard *shard)
{
    struct generation_list *list = &shard->generations;
    generation_list_init(list);
    struct generation_names *names = arena_allocate(&list->arena, sizeof *names);
    struct generation_names borrowed;
    generation_names_take(&list->arena, shard->generation, NULL, 0, &borrowed);
    generation_names_copy(&list->arena, &borrowed, names); /* the generation may go before */
    generation_list_add(list, names);
}

static enum status open_loop(struct shard *shard, char *out_problem, size_t problem_capacity)
{
    const struct options *options = &shard->config->options;
    enum { OPERATIONS_PER_CONNECTION = 4, SPARE = 256, SUBMISSIONS = 1024 };
    uint32_t connections = (uint32_t)options->connections_max;
    const struct loop_settings settings = {
        .submission_entries = SUBMISSIONS,
        .completion_entries = connections * OPERATIONS_PER_CONNECTION + SUBMISSIONS,
        .receive_buffer_count = (uint32_t)options->receive_buffers,
        .files_max = (uint32_t)shard->config->whole.connections_max + SPARE,
        .timers_max = connections * OPERATIONS_PER_CONNECTION + SPARE,
        .wishes = {.turn_wait = (uint32_t)options->turn_wait,
                   .turn_completions = (uint32_t)options->turn_completions,
                   .submission_poll = (uint32_t)options->submission_poll,
                   .busy_poll = (uint32_t)options->busy_poll,
                   .zero_copy_send = (uint32_t)options->zero_copy_send},
    };
    enum status status = loop_open(&settings, &shard->loop, out_problem, problem_capacity);
    if (status != STATUS_OK)
        return status;
    if (shard->mesh != NULL)
        mesh_begin(shard->mesh, shard->loop);
    const struct transport_settings transport = {
        .connections_max = connections,
        .session_bytes = sizeof(struct session),
        .command_bytes_max = (uint32_t)options->message_max * 2 + CHUNK_RECEIVE_BYTES,
        .small_carries = (uint32_t)options->small_carries,
        .large_carries = (uint32_t)options->large_carries,
        .output_chunks = (uint32_t)options->output_chunks,
        .output_bytes_max = (uint32_t)options->output_max,
        .half_command_ns = options->half_command_time * NS_PER_MS,
        .stuck_send_ns = options->stuck_send_time * NS_PER_MS,
        .protocol = &session_protocol,
        .context = shard,
    };
    return transport_open(shard->loop, &transport, &shard->transport);
}

/* Identities between their claim and their place in a log. With several shards they are placed when
 * they are durable, whoever asked. */
static uint32_t unplaced_max(const struct shard *shard)
{
    const struct options *options = &shard->config->options;
    if (shard->mesh == NULL)
        return INTAKE_BATCHES * ROUTER_BATCH_MAX;
    uint64_t all = (options->publications_max * 2 + INTAKE_BATCHES * ROUTER_BATCH_MAX) *
                   mesh_shards(shard->mesh);
    return (uint32_t)(all < options->window_entries ? all : options->window_entries);
}

static enum status open_window(struct shard *shard)
{
    const struct options *options = &shard->config->options;
    const struct window_settings window = {
        .entries_max = options->window_entries,
        .unplaced_max = unplaced_max(shard),
        .log_count = shard->mesh != NULL ? mesh_shards(shard->mesh) : 1,
        .span_s = (uint32_t)options->window_span,
        .match = claims_match,
        .prefetch = claims_prefetch,
        .context = shard,
    };
    return window_open(&window, &shard->window);
}

static enum status open_outlets(struct shard *shard)
{
    const struct generation *generation = shard->generation;
    shard->outlets =
        calloc(DESTINATIONS_MAX, sizeof *shard->outlets); /* they stay where they are */
    shard->intake_accounts =
        calloc((size_t)generation->directory.count * generation->channel_count + 1,
               sizeof *shard->intake_accounts);
    if (shard->outlets == NULL || shard->intake_accounts == NULL)
        return STATUS_NO_MEMORY;
    enum status facts = facts_open(&shard->facts, (uint32_t)generation->directory.count *
                                                      generation->channel_count);
    if (facts == STATUS_OK)
        facts = books_open(&shard->books, generation);
    if (facts == STATUS_OK)
        facts = rule_hits_open(generation, &shard->rule_hits);
    if (facts != STATUS_OK)
        return facts;
    for (uint16_t i = 0; i < generation->destination_count; i++) {
        enum status status = outlet_open(&shard->outlets[i], generation->destinations[i],
                                         &shard->journal, &shard->last_group_number);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* Those of which the log knows nothing begin now. */
static enum status create_groups(struct shard *shard)
{
    for (uint16_t i = 0; i < shard->generation->destination_count; i++) {
        enum status status = outlet_create_configured_groups(&shard->outlets[i]);
        if (status != STATUS_OK)
            return status;
    }
    facts_share(shard);
    if (shard->rooms != NULL)
        shard_share_rooms(shard);
    return STATUS_OK;
}

static enum status open_cases(struct shard *shard)
{
    struct cases_view *view;
    if (shard->config->options.cases == 0)
        return STATUS_OK;
    enum status status = cases_open(&shard->config->options, &shard->secret, &shard->cases);
    if (status == STATUS_OK)
        status = cases_view_open(shard->cases, shard->generation, &view);
    if (status == STATUS_OK)
        cases_set_view(shard->cases, view);
    return status;
}

static enum status open_queues(struct shard *shard)
{
    const struct options *options = &shard->config->options;
    uint32_t publications = (uint32_t)options->publications_max;
    uint32_t promises = (uint32_t)options->acknowledgements_max;
    enum status status = publication_pool_open(&shard->publications, publications);
    if (status == STATUS_OK)
        status = reply_slot_pool_open(&shard->promises, promises);
    if (status == STATUS_OK) /* one each, as many for what Kouan emits by itself, and those of the
                                further messages of a publication */
        status = commit_open(&shard->commits, publications * 2 + promises + ROUTER_BATCH_MAX);
    if (status == STATUS_OK)
        status = intake_open(shard);
    if (status == STATUS_OK)
        status = hold_open(&shard->holds, (uint32_t)options->holds_max, options->hold_bytes_max);
    if (status == STATUS_OK)
        status = reject_open(&shard->rejects, (uint32_t)options->rejects_kept,
                             (uint32_t)options->reject_bytes);
    if (status == STATUS_OK)
        status = chunk_pool_open(&shard->transactions, (uint32_t)options->transactions,
                                 (uint32_t)options->transaction_max, false);
    return status;
}

static void expire_park(struct loop *loop, struct timer *timer)
{
    (void)loop;
    shard_wake((struct shard *)(void *)((char *)timer - offsetof(struct shard, park_timer)));
}

static enum status open_parts(struct shard *shard, const struct shard_settings *settings,
                              char *out_problem, size_t problem_capacity)
{
    shard->delays = (struct delays){settings->test_delay_turns, settings->test_delay_seed};
    enum status status = open_loop(shard, out_problem, problem_capacity);
    if (status == STATUS_OK)
        status = shard_log_open(shard, out_problem, problem_capacity);
    if (status == STATUS_OK)
        status = open_window(shard);
    if (status == STATUS_OK)
        status = open_outlets(shard);
    if (status == STATUS_OK)
        status = open_cases(shard);
    if (status == STATUS_OK)
        status = open_queues(shard);
    if (status == STATUS_OK)
        status = entry_forms_open(&shard->entry_forms, &shard->generations);
    if (status != STATUS_OK)
        return status;
    shard->reply_capacity = shard->config->options.output_max / 2;
    status = chunk_pool_open(&shard->replies, REPLIES, (uint32_t)shard->reply_capacity, false);
    if (status != STATUS_OK)
        return status;
    shard->reply = chunk_take(&shard->replies);
    shard->reply_memory = shard->reply->data;
    shard->turn.run = run_turn;
    shard->park_timer.expire = expire_park;
    shard->started_wall_ms = loop_wall_ms(shard->loop);
    loop_on_wake(shard->loop, on_wake, shard);
    return shard->family != NULL ? errands_open(shard, shard->mesh, shard->family->board)
                                 : STATUS_OK;
}

enum status shard_recover(struct shard *shard, char *out_problem, size_t problem_capacity)
{
    return shard_log_recover(shard, out_problem, problem_capacity);
}

enum status shard_begin(struct shard *shard, const struct shard_log_start *start, char *out_problem,
                        size_t problem_capacity)
{
    enum status status = shard_log_begin(shard, start, out_problem, problem_capacity);
    if (status == STATUS_OK && shard->errands != NULL) /* what was shown before is shown again */
        errands_publish(shard->errands, shard->log.recovery.last_id);
    return status == STATUS_OK ? create_groups(shard) : status;
}

enum status shard_listen(struct shard *shard, const struct listener_taker *taker, char *out_problem,
                         size_t problem_capacity)
{
    for (uint16_t i = 0; i < shard->config->listen_count; i++) {
        struct address address;
        enum status status =
            address_parse(shard->config->listen[i], &address, out_problem, problem_capacity);
        if (status == STATUS_OK)
            status = listener_open(shard->loop, shard->transport, &address, &shard->listeners[i],
                                   out_problem, problem_capacity);
        if (status != STATUS_OK)
            return status;
        shard->listener_count++;
        if (taker != NULL)
            listener_set_taker(shard->listeners[i], taker);
    }
    return STATUS_OK;
}

/* They are stopped already but when the start failed at one of several. */
static void close_listeners(struct shard *shard)
{
    for (uint16_t i = 0; i < shard->listener_count; i++)
        listener_stop(shard->listeners[i]);
    for (uint16_t i = 0; i < shard->listener_count; i++) {
        while (!listener_is_stopped(shard->listeners[i]))
            loop_turn(shard->loop);
        listener_close(shard->listeners[i]);
    }
}

/* The disk's last answers come in turns of the loop, which must find nothing else to do. */
static void end_turns(struct shard *shard)
{
    shard->has_ended = true;
    loop_undefer(shard->loop, &shard->turn);
    loop_timer_disarm(shard->loop, &shard->stop_timer);
    loop_timer_disarm(shard->loop, &shard->park_timer);
}

static void abort_session(struct connection *connection, void *context)
{
    (void)context;
    connection_abort(connection);
}

/* There are some only if the log failed. */
static void close_connections(struct shard *shard)
{
    shard->stopping = true;
    transport_visit(shard->transport, abort_session, NULL);
    while (transport_connection_count(shard->transport) > 0)
        loop_turn(shard->loop);
}

void shard_close(struct shard *shard)
{
    close_listeners(shard);
    if (shard->transport != NULL)
        close_connections(shard);
    if (shard->loop != NULL)
        end_turns(shard);
    if (shard->transport != NULL)
        transport_close(shard->transport);
    intake_close(&shard->intake);
    shard_log_close(shard);
    if (shard->loop != NULL)
        loop_close(shard->loop);
    for (uint16_t i = 0; shard->outlets != NULL && i < shard->generation->destination_count; i++)
        outlet_close(&shard->outlets[i]);
    free(shard->outlets);
    free(shard->intake_accounts);
    rule_hits_close(shard->rule_hits);
    cases_close(shard->cases);
    facts_close(&shard->facts);
    books_close(&shard->books);
    errands_close(shard->errands);
    chunk_pool_close(&shard->replies);
    entry_forms_close(&shard->entry_forms);
    chunk_pool_close(&shard->transactions);
    publication_pool_close(&shard->publications);
    reply_slot_pool_close(&shard->promises);
    commit_close(&shard->commits);
    hold_close(&shard->holds);
    reject_close(&shard->rejects);
    if (shard->window != NULL)
        window_close(shard->window);
    journal_close(&shard->journal);
    generation_list_deinit(&shard->generations);
    free(shard);
}

/* ---- turns ---- */

void shard_wake(struct shard *shard)
{
    if (!shard->has_ended && !shard->turn.queued)
        loop_defer(shard->loop, &shard->turn);
}

/* After all input of a loop's turn: decide, append, commit, answer. */
static void run_turn(struct loop *loop, struct deferral *deferral)
{
    struct shard *shard = (struct shard *)(void *)((char *)deferral - offsetof(struct shard, turn));
    (void)loop;
    shard->turn_number++;
    shard_log_set_time(shard);
    bool more = intake_run(shard);
    more |= commit_run(shard);
    shard_log_let_go(shard);
    if (shard->case_snapshots.copy != NULL)
        case_snapshots_run(&shard->case_snapshots);
    retention_run(shard);
    if (shard->errands != NULL)
        errands_run(shard->errands);
    if (shard->rooms != NULL)
        shard_tell_rooms(shard);
    session_flush_all(shard);
    if (shard->facts.are_kept && facts_are_gathered(shard))
        shard_log_wake(shard);
    if (more && shard->delays.turns_max > 0)
        shard_wake(shard); /* delayed answers come with the turns alone */
    if (shard->each_turn != NULL)
        shard->each_turn(shard->each_turn_context);
}

/* ---- stopping ---- */

static void finish_session(struct connection *connection, void *context)
{
    (void)context;
    session_finish(session_of(connection));
}

/* Nobody is left whom this shard could need for its clients, or who could need it. */
static bool is_quiet(struct shard *shard)
{
    struct shard_family *family = shard->family;
    if (!intake_is_idle(&shard->intake) || commit_count(&shard->commits) > 0 ||
        (shard->errands != NULL && !errands_are_idle(shard->errands)))
        return false;
    if (family == NULL)
        return true;
    if (mesh_unanswered(shard->mesh) > 0)
        return false;
    uint64_t own = UINT64_C(1) << shard->number, all = UINT64_MAX >> (64 - family->count);
    return (atomic_fetch_or(&family->quiet, own) | own) == all;
}

static void stop_if_done(struct shard *shard)
{
    bool in_time = loop_now_ns(shard->loop) < shard->stop_deadline_ns;
    if (transport_connection_count(shard->transport) > 0 || (!is_quiet(shard) && in_time))
        return;
    if (!shard_log_stop(shard) && in_time)
        return;
    for (uint16_t i = 0; i < shard->listener_count; i++)
        if (!listener_is_stopped(shard->listeners[i]))
            return;
    loop_stop(shard->loop);
}

/* While stopping: looks again every few milliseconds, and ends what does not end by itself. */
static void check_stop(struct loop *loop, struct timer *timer)
{
    enum { LOOK_AGAIN_MS = 5 };
    struct shard *shard =
        (struct shard *)(void *)((char *)timer - offsetof(struct shard, stop_timer));
    uint64_t now_ns = loop_now_ns(loop);
    if (now_ns >= shard->stop_deadline_ns)
        transport_visit(shard->transport, abort_session, NULL);
    stop_if_done(shard);
    loop_timer_arm(loop, timer, now_ns + LOOK_AGAIN_MS * NS_PER_MS);
}

void shard_stop(struct shard *shard)
{
    if (shard->stopping)
        return;
    shard->stopping = true;
    uint64_t now_ns = loop_now_ns(shard->loop);
    shard->stop_deadline_ns = now_ns + shard->config->options.stop_time * NS_PER_MS;
    for (uint16_t i = 0; i < shard->listener_count; i++)
        listener_stop(shard->listeners[i]);
    transport_visit(shard->transport, finish_session, NULL);
    shard_wake(shard);
    shard->stop_timer.expire = check_stop;
    loop_timer_arm(shard->loop, &shard->stop_timer, now_ns);
}

static void on_wake(struct loop *loop, void *context)
{
    (void)loop;
    shard_stop(context);
}

bool shard_run(struct shard *shard)
{
    loop_run(shard->loop);
    return shard->log.failure[0] == '\0';
}

/* ---- small things ---- */

struct intake_account *shard_account(struct shard *shard, const struct participant *participant,
                                     const struct channel *channel)
{
    uint32_t index =
        (uint32_t)participant->index * shard->generation->channel_count + channel->index;
    facts_note_account(&shard->facts, index);
    return &shard->intake_accounts[index];
}

uint32_t shard_window_time_s(const struct shard *shard)
{
    enum { MS_PER_S = 1000 };
    /* From 1: the window reads 0 as no time at all. */
    return (uint32_t)(shard_log_time_ms(shard) / MS_PER_S) + 1;
}
