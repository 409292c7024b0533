#include "bench/load/trial.h"

#include "bench/wire/control.h"

enum { CONNECT_PATIENCE_MS = 5000, DEFAULT_WINDOW = 512, DEFAULT_BATCH = 500 };

void trial_defaults(struct trial_settings *settings)
{
    *settings = (struct trial_settings){
        .day = {.seed = 1,
                .message_count = 1000000,
                .stream_count = EPORT_COUNT,
                .mix = MIX_DAY,
                .event_bytes = 256},
        .model = MODEL_DEMO,
        .address = "127.0.0.1:7400",
        .channel = "in",
        .window = DEFAULT_WINDOW,
        .batch = DEFAULT_BATCH,
        .patience_ms = 10000,
    };
}

static enum status tell(struct load_result *result, enum status status, const char *what)
{
    snprintf(result->problem, sizeof result->problem, "%s: %s", what, status_text(status));
    return status;
}

/* A stream keeps what came before its group: the group is made anew, so that it sees only what
 * comes from now on. */
static enum status prepare_stream(const struct trial_settings *settings, struct trial *trial)
{
    struct control control;
    char words[256], text[256];
    enum status status = control_open(&control, &trial->target, NULL, CONNECT_PATIENCE_MS);
    if (status != STATUS_OK)
        return tell(&trial->result, status, "connecting to the redis-server");
    snprintf(words, sizeof words, "XGROUP DESTROY %.100s all", settings->channel);
    if (control_ask(&control, words, text, sizeof text) == STATUS_IO)
        status = STATUS_IO; /* a refusal is right where there was no stream */
    snprintf(words, sizeof words, "XGROUP CREATE %.100s all $ MKSTREAM", settings->channel);
    if (status == STATUS_OK)
        status = control_ask(&control, words, text, sizeof text);
    control_close(&control);
    return status == STATUS_OK ? status : tell(&trial->result, status, "creating the group");
}

static void name_outlets(const struct trial_settings *settings, struct load_settings *load)
{
    if (settings->model == MODEL_DEMO) {
        load->outlet_count = OUTLET_COUNT;
        for (uint32_t o = 0; o < OUTLET_COUNT; o++) {
            const char *name = day_outlet_name((enum day_outlet)o);
            load->outlets[o] = (struct load_outlet){name, name};
        }
        return;
    }
    load->outlet_count = 1;
    load->outlets[0] =
        (struct load_outlet){settings->model == MODEL_PLAIN ? settings->channel : "all", "all"};
}

enum status trial_run(const struct trial_settings *settings, struct trial *trial)
{
    *trial = (struct trial){0};
    enum status status = target_parse(settings->address, &trial->target);
    if (status != STATUS_OK)
        return tell(&trial->result, status, settings->address);
    status = day_open(&settings->day, &trial->day);
    if (status == STATUS_OK)
        status =
            checker_open(&(struct checker_settings){&trial->day, settings->model}, &trial->checker);
    if (status != STATUS_OK)
        return tell(&trial->result, status, "planning the day");
    if (settings->model == MODEL_PLAIN)
        status = prepare_stream(settings, trial);
    if (status != STATUS_OK)
        return status;
    trial->load = (struct load_settings){
        .day = &trial->day,
        .checker = &trial->checker,
        .target = &trial->target,
        .channel = settings->channel,
        .secrets_directory = settings->secrets_directory,
        .window = settings->window,
        .batch = settings->batch,
        .rate = settings->rate,
        .patience_ms = settings->patience_ms,
        .server = settings->server,
        .stop = settings->stop,
        .on_progress = settings->shows_progress ? report_progress : NULL,
    };
    name_outlets(settings, &trial->load);
    status = load_run(&trial->load, &trial->result);
    if (settings->shows_progress)
        report_progress_end();
    if (!trial->result.interrupted)
        checker_finish(&trial->checker);
    return status;
}

void trial_close(struct trial *trial)
{
    checker_close(&trial->checker);
    day_close(&trial->day);
}
