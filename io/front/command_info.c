/* What the server says of itself: INFO, CONFIG GET, TIME, COMMAND. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "io/front/command.h"
#include "io/front/glob.h"
#include "io/shard/report.h"
#include "io/state/redis_link.h"

static bool is(struct bytes argument, const char *word)
{
    return bytes_equal_fold(argument, bytes_from_text(word));
}

/* ---- INFO ---- */

static void info_server(const struct shard *shard, struct text *text)
{
    enum { NS_PER_S = 1000000000 };
    struct loop_figures loop;
    char granted[128];
    loop_figures(shard->loop, &loop);
    loop_features_name(loop_granted(shard->loop), granted, sizeof granted);
    uint64_t uptime_s = (loop_now_ns(shard->loop) - shard->started_ns) / NS_PER_S;
    text_add(text,
             "redis_version:" COMMAND_REDIS_VERSION "\r\nredis_mode:standalone\r\n"
             "kouan_version:" KOUAN_VERSION "\r\nprocess_id:%d\r\nuptime_in_seconds:%" PRIu64
             "\r\nconfig_file:%s\r\n",
             (int)getpid(), uptime_s, shard->config->path != NULL ? shard->config->path : "");
    for (uint16_t i = 0; i < shard->listener_count; i++)
        text_add(text, "listener%u:%s\r\n", i, listener_address_text(shard->listeners[i]));
    text_add(text,
             "sync:%s\r\ngeneration:%" PRIu64 "\r\nring_mode:%d\r\nring_options:%s\r\n"
             "turns:%" PRIu64 "\r\n",
             shard->log.is_on_disk ? "commit" : "memory", shard->generation->number, (int)loop.mode,
             granted, loop.turns);
}

static void info_clients(const struct shard *shard, struct text *text)
{
    struct transport_figures figures;
    transport_figures(shard->transport, &figures);
    text_add(text,
             "connected_clients:%" PRIu32 "\r\nmaxclients:%" PRIu64
             "\r\ntotal_connections_received:%" PRIu64 "\r\nrejected_connections:%" PRIu64
             "\r\naborted_half_command:%" PRIu64 "\r\naborted_stuck_send:%" PRIu64
             "\r\naborted_deadline:%" PRIu64 "\r\nreceive_starved:%" PRIu32
             "\r\noutput_waiting:%" PRIu32 "\r\nreplies_lost:%" PRIu64 "\r\n",
             figures.open, shard->config->whole.connections_max, figures.accepted,
             figures.refused_full, figures.aborted_half_command, figures.aborted_stuck_send,
             figures.aborted_deadline, figures.receive_starved, figures.output_waiting,
             shard->figures.replies_lost);
}

static void info_memory(const struct shard *shard, struct text *text)
{
    const struct journal *journal = &shard->journal;
    struct window_figures window;
    window_figures(shard->window, &window);
    text_add(
        text,
        "log_bytes:%" PRIu64 "\r\nlog_kept_bytes:%" PRIu64 "\r\nlog_records:%" PRIu64
        "\r\ncopied_forward:%" PRIu64 "\r\ncopied_forward_bytes:%" PRIu64
        "\r\njournal_given_up:%" PRIu64 "\r\njournal_forgotten_early:%" PRIu64
        "\r\nwindow_capacity:%" PRIu64 "\r\nwindow_used:%" PRIu64 "\r\nwindow_memory_bytes:%" PRIu64
        "\r\nwindow_evicted_for_room:%" PRIu64 "\r\nwindow_expired:%" PRIu64
        "\r\nwindow_forgotten:%" PRIu64 "\r\nholds:%" PRIu32 "\r\n",
        journal->capacity, journal->end_position - journal->kept_position, journal->record_count,
        shard->figures.copied_forward, shard->figures.copied_forward_bytes,
        shard->retention.figures.given_up, shard->retention.figures.forgotten_early,
        window.capacity, window.used, window.memory_bytes, window.evicted_for_room, window.expired,
        window.forgotten, shard->holds.live);
}

static uint64_t write_mean_us(const struct journal_writer_figures *figures)
{
    return figures->writes > 0 ? figures->write_ns / figures->writes / 1000 : 0;
}

/* Of this shard's log alone, where the sums of all say too little. */
static void info_log(const struct shard *shard, struct text *text)
{
    const struct shard_log *log = &shard->log;
    const struct journal_writer_figures *figures = &log->writer.figures;
    if (!log->is_on_disk)
        return;
    const struct segment *oldest = segments_oldest(log->segments);
    text_add(text,
             "log_%u:records=%" PRIu64 ",end_position=%" PRIu64 ",durable_position=%" PRIu64
             ",log_time_ms=%" PRIu64 ",segments=%" PRIu64 ",oldest_segment=%" PRIu64
             ",bytes=%" PRIu64 ",given_up=%" PRIu64 ",writes=%" PRIu64 ",write_mean_us=%" PRIu64
             ",has_moved=%d,has_room=%d,path=%s\r\n",
             shard->number, shard->journal.record_count, shard->journal.end_position,
             shard->journal.durable_position, shard_log_time_ms(shard),
             segments_count(log->segments), oldest != NULL ? oldest->number : 0,
             segments_bytes(log->segments), shard->retention.figures.given_up, figures->writes,
             write_mean_us(figures), log_disk_has_moved(&log->disk) ? 1 : 0,
             log->segment_error == 0 ? 1 : 0, log_disk_path(&log->disk));
}

/* Nothing without a disk. */
static void info_journal(const struct shard *shard, struct text *text)
{
    const struct shard_log *log = &shard->log;
    const struct journal *journal = &shard->journal;
    if (!log->is_on_disk)
        return;
    const struct journal_writer_figures *figures = &log->writer.figures;
    const struct segment *oldest = segments_oldest(log->segments);
    text_add(text,
             "journal:%s\r\ndisk_mode:%s\r\nend_position:%" PRIu64 "\r\ndurable_position:%" PRIu64
             "\r\nincarnation:%" PRIu64 "\r\nlog_time_ms:%" PRIu64 "\r\nwrites:%" PRIu64
             "\r\nwritten_bytes:%" PRIu64 "\r\npadding_bytes:%" PRIu64 "\r\nwrite_mean_us:%" PRIu64
             "\r\nwrite_last_us:%" PRIu64 "\r\nidle_seals:%" PRIu64 "\r\nfacts:%" PRIu64
             "\r\ncheckpoints:%" PRIu64 "\r\nsegments:%" PRIu64 "\r\noldest_segment:%" PRIu64
             "\r\njournal_bytes:%" PRIu64 "\r\njournal_size:%" PRIu64 "\r\ndisk_free_bytes:%" PRIu64
             "\r\nno_room_for_segment:%s\r\njournal_spare:%s\r\nhas_moved:%d\r\n",
             log_disk_path(&log->disk), disk_mode_name(log->disk.pair.disk.mode),
             journal->end_position, journal->durable_position, journal->settings.incarnation,
             shard_log_time_ms(shard), figures->writes, figures->bytes, figures->padding_bytes,
             write_mean_us(figures), figures->last_write_ns / 1000, figures->idle_seals,
             shard->facts.written, shard->facts.checkpoints, segments_count(log->segments),
             oldest != NULL ? oldest->number : 0, segments_bytes(log->segments),
             shard->config->whole.journal_size, shard_log_free_bytes(shard),
             log->segment_error != 0 ? strerror(log->segment_error) : "", log->folders->spare_path,
             log_disk_has_moved(&log->disk) ? 1 : 0);
    info_log(shard, text);
}

/* What was read back from the journal's files. */
static void info_recall(const struct shard *shard, struct text *text)
{
    const struct recall_figures none = {0};
    const struct recall_figures *figures =
        shard->recall != NULL ? recall_figures(shard->recall) : &none;
    text_add(text,
             "recall_reads:%" PRIu64 "\r\nrecall_read_bytes:%" PRIu64 "\r\nrecall_blocks:%" PRIu64
             "\r\nrecall_asks:%" PRIu64 "\r\nrecall_hits:%" PRIu64 "\r\nrecall_failures:%" PRIu64
             "\r\n",
             figures->reads, figures->read_bytes, figures->blocks, figures->asks, figures->hits,
             figures->failures);
}

static void info_stats(const struct shard *shard, struct text *text)
{
    struct transport_figures figures;
    transport_figures(shard->transport, &figures);
    text_add(text,
             "total_commands_processed:%" PRIu64 "\r\ntotal_net_input_bytes:%" PRIu64
             "\r\ntotal_net_output_bytes:%" PRIu64 "\r\nbatches:%" PRIu64
             "\r\nbatch_messages:%" PRIu64 "\r\nparked:%" PRIu64 "\r\ncollisions:%" PRIu64
             "\r\nledger_gap:%" PRIu64 "\r\n",
             shard->figures.commands, figures.received_bytes, figures.sent_bytes,
             shard->figures.batches, shard->figures.batch_messages, shard->figures.parked,
             shard->figures.collisions, report_gap(shard));
}

static void info_cases(const struct shard *shard, struct text *text)
{
    struct case_figures figures = {0};
    if (shard->cases != NULL)
        figures = case_table_figures(cases_table(shard->cases));
    text_add(text,
             "cases:%" PRIu32 "\r\ncases_max:%" PRIu32 "\r\ncase_keys:%" PRIu32
             "\r\ncase_keys_max:%" PRIu32 "\r\ncases_begun:%" PRIu64 "\r\ncases_merged:%" PRIu64
             "\r\ncases_expired:%" PRIu64 "\r\ncases_evicted:%" PRIu64
             "\r\ncase_moves_impossible:%" PRIu64 "\r\ncase_statuses_not_entitled:%" PRIu64
             "\r\ncase_moves_late:%" PRIu64 "\r\ncase_keys_left_out:%" PRIu64
             "\r\ncase_oldest_ms:%" PRIu64 "\r\n",
             figures.cases, figures.cases_max, figures.keys, figures.keys_max, figures.begun,
             figures.merged, figures.expired, figures.evicted, figures.impossible,
             figures.not_entitled, figures.late, figures.keys_left_out, figures.oldest_ms);
    text_add(text, "case_snapshots_written:%" PRIu64 "\r\ncase_snapshots_failed:%" PRIu64 "\r\n",
             shard->case_snapshots.written, shard->case_snapshots.failed);
}

/* Of all, and what this shard and its ways to the others have done. */
static void info_shards(const struct shard *shard, struct text *text)
{
    struct transport_figures transport;
    struct mesh_figures mesh = {0};
    struct loop_figures loop;
    transport_figures(shard->transport, &transport);
    loop_figures(shard->loop, &loop);
    if (shard->mesh != NULL)
        mesh_figures(shard->mesh, &mesh);
    text_add(text,
             "shards:%" PRIu64 "\r\npin:%s\r\nmesh_memory_bytes:%" PRIu64
             "\r\nhuge_page_bytes:%" PRIu64 "\r\n",
             shard->config->whole.shards, shard->config->pin == PIN_AUTO ? "auto" : "none",
             shard->family != NULL ? mesh_memory_bytes(shard->family->mesh) : 0,
             shard->huge_page_bytes);
    text_add(text,
             "shard_%u:clients=%" PRIu32 ",commands=%" PRIu64 ",messages=%" PRIu64
             ",records=%" PRIu64 ",turns=%" PRIu64 ",asks=%" PRIu64 ",notices=%" PRIu64
             ",answers=%" PRIu64 ",refusals=%" PRIu64 ",kept=%" PRIu64 ",wakes=%" PRIu64 "\r\n",
             shard->number, transport.open, shard->figures.commands, shard->figures.batch_messages,
             shard->journal.record_count, loop.turns, mesh.asks, mesh.notices, mesh.answers,
             mesh.refusals, mesh.kept, mesh.wakes);
}

static uint64_t load(const _Atomic uint64_t *figure)
{
    return atomic_load_explicit(figure, memory_order_relaxed);
}

/* The same from all shards: the server has one link. */
static void info_redis(const struct shard *shard, struct text *text)
{
    const struct redis_figures *figures = shard->redis;
    if (figures == NULL) {
        text_add(text, "redis_state:off\r\n");
        return;
    }
    uint64_t current_ns = load(&figures->current_ns), now_ns = loop_now_ns(shard->loop);
    text_add(text,
             "redis_state:%s\r\nredis_lag_ms:%" PRIu64 "\r\nredis_errors:%" PRIu64
             "\r\nredis_connections:%" PRIu64 "\r\nredis_refills:%" PRIu64
             "\r\nredis_commands:%" PRIu64 "\r\nredis_bytes:%" PRIu64 "\r\nredis_in_flight:%" PRIu64
             "\r\n",
             redis_state_name((enum redis_state)load(&figures->state)),
             now_ns > current_ns ? (now_ns - current_ns) / 1000000 : 0, load(&figures->errors),
             load(&figures->connections), load(&figures->refills), load(&figures->commands),
             load(&figures->bytes), load(&figures->in_flight));
}

struct info_section {
    const char *name, *title;
    void (*add)(const struct shard *shard, struct text *text);
};

static const struct info_section sections[] = {
    {"server", "Server", info_server}, {"clients", "Clients", info_clients},
    {"memory", "Memory", info_memory}, {"journal", "Journal", info_journal},
    {"recall", "Recall", info_recall}, {"stats", "Stats", info_stats},
    {"cases", "Cases", info_cases},    {"shards", "Shards", info_shards},
    {"redis", "Redis", info_redis},
};

static bool section_wanted(const struct resp_command *command, const char *name)
{
    if (command->count == 1)
        return true;
    for (uint32_t i = 1; i < command->count; i++)
        if (is(command->arguments[i], name) || is(command->arguments[i], "all") ||
            is(command->arguments[i], "default") || is(command->arguments[i], "everything"))
            return true;
    return false;
}

void command_info(struct session *session, const struct resp_command *command)
{
    char memory[8192];
    struct text text;
    text_init(&text, memory, sizeof memory);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        if (!section_wanted(command, sections[i].name))
            continue;
        text_add(&text, "%s# %s\r\n", text.size > 0 ? "\r\n" : "", sections[i].title);
        sections[i].add(session->shard, &text);
    }
    struct resp_writer writer = session_reply_begin(session);
    resp_write_verbatim(&writer, bytes_make(text.data, text.size));
    session_reply_end(session, &writer);
}

/* ---- CONFIG GET ---- */

/* What Redis's own tools ask for before they begin. */
static const char *const redis_options[][2] = {
    {"save", ""}, {"appendonly", "no"}, {"databases", "1"}};

static bool any_fits(const struct resp_command *command, const char *name)
{
    for (uint32_t i = 2; i < command->count; i++)
        if (glob_fits(command->arguments[i], bytes_from_text(name), true))
            return true;
    return false;
}

static uint32_t write_options(struct resp_writer *writer, const struct session *session,
                              const struct resp_command *command, bool writes)
{
    uint32_t count = 0;
    const struct options *options = &session->shard->config->whole;
    for (size_t i = 0; i < sizeof redis_options / sizeof *redis_options; i++) {
        if (!any_fits(command, redis_options[i][0]))
            continue;
        count++;
        if (writes) {
            resp_write_bulk_text(writer, redis_options[i][0]);
            resp_write_bulk_text(writer, redis_options[i][1]);
        }
    }
    for (const struct option_row *row = option_rows; row->name != NULL; row++) {
        if (!any_fits(command, row->name))
            continue;
        count++;
        if (writes) {
            resp_write_bulk_text(writer, row->name);
            resp_write_bulk_format(writer, "%" PRIu64, option_get(options, row));
        }
    }
    return count;
}

void command_config(struct session *session, const struct resp_command *command)
{
    if (!is(command->arguments[1], "GET") || command->count < 3) {
        command_reply_other_subcommand(session, command);
        return;
    }
    struct resp_writer writer = session_reply_begin(session);
    resp_write_map(&writer, write_options(&writer, session, command, false));
    write_options(&writer, session, command, true);
    session_reply_end(session, &writer);
}

/* ---- TIME ---- */

void command_time(struct session *session, const struct resp_command *command)
{
    uint64_t now_ms = loop_wall_ms(session->shard->loop);
    struct resp_writer writer = session_reply_begin(session);
    (void)command;
    resp_write_array(&writer, 2);
    resp_write_bulk_format(&writer, "%" PRIu64, now_ms / 1000);
    resp_write_bulk_format(&writer, "%" PRIu64, now_ms % 1000 * 1000);
    session_reply_end(session, &writer);
}

/* ---- COMMAND ---- */

struct flag_row {
    uint16_t flag;
    const char *name;
};

static const struct flag_row flag_rows[] = {
    {COMMAND_NO_AUTH, "no_auth"}, {COMMAND_FAST, "fast"},         {COMMAND_READ, "readonly"},
    {COMMAND_WRITE, "write"},     {COMMAND_BLOCKING, "blocking"},
};
enum { FLAG_COUNT = sizeof flag_rows / sizeof *flag_rows };

static void write_lower(struct resp_writer *writer, const char *name)
{
    char lower[32];
    size_t i = 0;
    for (; name[i] != '\0' && i < sizeof lower; i++)
        lower[i] = (char)(name[i] | 0x20);
    resp_write_bulk(writer, bytes_make(lower, i));
}

/* As in Redis 7: name, arity, flags, first key, last key, step, categories, tips, key specs,
 * subcommands. */
static void write_command_info(struct resp_writer *writer, const struct command_row *row)
{
    struct bytes name = bytes_from_text(row->name);
    bool is_of_names = bytes_equal_text(name, "KEYS") || bytes_equal_text(name, "SCAN");
    bool has_key = (row->name[0] == 'X' && row->group[0] == 's') ||
                   (row->group[0] == 'g' && !is_of_names) || bytes_equal_text(name, "MEMORY");
    bool key_is_second = bytes_equal_text(name, "XGROUP") || bytes_equal_text(name, "XINFO") ||
                         bytes_equal_text(name, "MEMORY");
    int64_t key = !has_key ? 0 : key_is_second ? 2 : 1;
    uint32_t flags = 0;
    resp_write_array(writer, 10);
    write_lower(writer, row->name);
    resp_write_integer(writer, row->arity);
    for (size_t i = 0; i < FLAG_COUNT; i++)
        flags += (row->flags & flag_rows[i].flag) != 0;
    resp_write_set(writer, flags);
    for (size_t i = 0; i < FLAG_COUNT; i++)
        if ((row->flags & flag_rows[i].flag) != 0)
            resp_write_simple(writer, flag_rows[i].name);
    bool movable = (row->flags & COMMAND_BLOCKING) != 0; /* behind STREAMS */
    resp_write_integer(writer, movable ? 0 : key);
    resp_write_integer(writer, movable ? 0 : key);
    resp_write_integer(writer, movable || key == 0 ? 0 : 1);
    for (int i = 0; i < 4; i++)
        resp_write_array(writer, 0);
}

static void write_command_docs(struct resp_writer *writer, const struct command_row *row)
{
    write_lower(writer, row->name);
    resp_write_map(writer, 4);
    resp_write_bulk_text(writer, "summary");
    resp_write_bulk_text(writer, row->summary);
    resp_write_bulk_text(writer, "since");
    resp_write_bulk_text(writer, row->since);
    resp_write_bulk_text(writer, "group");
    resp_write_bulk_text(writer, row->group);
    resp_write_bulk_text(writer, "arguments");
    resp_write_array(writer, row->arguments[0] != '\0' ? 1 : 0);
    if (row->arguments[0] == '\0')
        return;
    resp_write_map(writer, 2);
    resp_write_bulk_text(writer, "name");
    resp_write_bulk_text(writer, row->arguments);
    resp_write_bulk_text(writer, "type");
    resp_write_bulk_text(writer, "string");
}

static void reply_docs(struct session *session, const struct resp_command *command)
{
    uint32_t count = 0;
    struct resp_writer writer = session_reply_begin(session);
    for (uint32_t i = 2; i < command->count; i++)
        count += command_find(command->arguments[i]) != NULL;
    resp_write_map(&writer, command->count == 2 ? command_count : count);
    for (uint32_t i = 0; command->count == 2 && i < command_count; i++)
        write_command_docs(&writer, &command_rows[i]);
    for (uint32_t i = 2; i < command->count; i++) {
        const struct command_row *row = command_find(command->arguments[i]);
        if (row != NULL)
            write_command_docs(&writer, row);
    }
    session_reply_end(session, &writer);
}

static void reply_command_info(struct session *session, const struct resp_command *command)
{
    bool all = command->count <= 2;
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer, all ? command_count : command->count - 2);
    for (uint32_t i = 0; all && i < command_count; i++)
        write_command_info(&writer, &command_rows[i]);
    for (uint32_t i = 2; i < command->count; i++) {
        const struct command_row *row = command_find(command->arguments[i]);
        if (row != NULL)
            write_command_info(&writer, row);
        else
            resp_write_null_array(&writer);
    }
    session_reply_end(session, &writer);
}

static void reply_command_list(struct session *session)
{
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer, command_count);
    for (uint32_t i = 0; i < command_count; i++)
        write_lower(&writer, command_rows[i].name);
    session_reply_end(session, &writer);
}

void command_command(struct session *session, const struct resp_command *command)
{
    if (command->count == 1 || is(command->arguments[1], "INFO")) {
        reply_command_info(session, command);
    } else if (is(command->arguments[1], "DOCS")) {
        reply_docs(session, command);
    } else if (is(command->arguments[1], "COUNT") && command->count == 2) {
        struct resp_writer writer = session_reply_begin(session);
        resp_write_integer(&writer, command_count);
        session_reply_end(session, &writer);
    } else if (is(command->arguments[1], "LIST") && command->count == 2) {
        reply_command_list(session);
    } else {
        command_reply_other_subcommand(session, command);
    }
}
