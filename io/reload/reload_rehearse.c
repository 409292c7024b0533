/* A candidate is rehearsed, and then applied if it still is the one. */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "io/reload/rehearsal.h"
#include "io/reload/reload_inside.h"
#include "io/shard/server_inside.h"

enum { REHEARSAL_NICE = 19 }; /* of the two, what serves has the processor */

static uint64_t read_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Of all secrets, so that others are noticed. Never shown, nor stored. */
static struct sha256 digest_secrets(const struct generation *generation)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        abort();
    for (uint16_t p = 0; p < generation->directory.count; p++) {
        struct bytes secret = generation->directory.participants[p]->secret;
        fprintf(out, "%zu:", secret.size);
        if (secret.size > 0)
            fwrite(secret.data, 1, secret.size, out);
    }
    fclose(out);
    struct sha256 digest = sha256_of(bytes_make(text, size));
    explicit_bzero(text, size);
    free(text);
    return digest;
}

/* ---- apply ---- */

static bool same_digest(const struct sha256 *left, const struct sha256 *right)
{
    return memcmp(left, right, sizeof *left) == 0;
}

/* `digest` as the operator gave it: the beginning is enough. */
static bool names(const char *digest, const struct sha256 *manifest)
{
    return strncmp(sha256_format(manifest->bytes).text, digest, strlen(digest)) == 0;
}

bool reload_is_rehearsed(struct reload *reload, const struct reload_request *request)
{
    const struct reload_candidate *candidate = &reload->rehearsed;
    if (!candidate->is_there) {
        fprintf(reload->out,
                "no candidate was rehearsed since generation %" PRIu64
                " decides: `kouan reload --rehearse` first; nothing has changed\n",
                reload->current.names->names.number);
        return false;
    }
    if (names(request->digest, &candidate->manifest))
        return true;
    fprintf(reload->out,
            "the candidate that was rehearsed last is %.12s, not %.12s; nothing has changed\n",
            sha256_format(candidate->manifest.bytes).text, request->digest);
    return false;
}

bool reload_is_candidate(struct reload *reload, const struct reload_loaded *next)
{
    const struct reload_candidate *candidate = &reload->rehearsed;
    struct sha256 secrets = digest_secrets(next->config->generation);
    bool has_same_files = same_digest(&candidate->manifest, &next->names->manifest);
    if (has_same_files && same_digest(&candidate->secrets, &secrets))
        return true;
    if (has_same_files)
        fputs("the files of secrets", reload->out);
    else
        fprintf(reload->out, "the files are candidate %.12s now: they",
                sha256_format(next->names->manifest.bytes).text);
    fprintf(reload->out,
            " have changed since %.12s was rehearsed; rehearse again. Nothing has changed\n",
            sha256_format(candidate->manifest.bytes).text);
    return false;
}

/* ---- rehearse ---- */

/* One run, on a thread of its own, for as long as it lasts. */
struct rehearsing {
    struct rehearsal_settings settings;
    struct rehearsal_tally *tally;
    enum status status;
    char problem[LOG_PROBLEM_BYTES];
};

static bool is_over(const void *context)
{
    const struct reload *reload = context;
    return atomic_load(&reload->ends) || atomic_load(&reload->is_abandoned);
}

/* A thread that has stepped back cannot step forward again, so the loader's does not. */
static void *run(void *context)
{
    struct rehearsing *rehearsing = context;
    pthread_setname_np(pthread_self(), "kouan-rehearsal");
    setpriority(PRIO_PROCESS, (id_t)gettid(), REHEARSAL_NICE);
    rehearsing->status =
        rehearsal_run(&rehearsing->settings, rehearsing->tally, rehearsing->problem);
    return NULL;
}

static void report(struct reload *reload, const struct reload_request *request,
                   const struct reload_loaded *next, const struct rehearsal_tally *tally,
                   uint64_t begun_ms)
{
    struct sha256_text digest = sha256_format(next->names->manifest.bytes);
    fprintf(reload->out, "candidate %.12s beside generation %" PRIu64 "; nothing has changed\n",
            digest.text, reload->current.names->names.number);
    reload_report_changes(reload->out, next);
    fprintf(reload->out, "%" PRIu64 " message%s (", tally->messages,
            tally->messages == 1 ? "" : "s");
    if (request->last > 0)
        fprintf(reload->out, "the last of the journal, at most %" PRIu32, request->last);
    if (request->seconds > 0)
        fprintf(reload->out, "%sall that came in %" PRIu32 " s", request->last > 0 ? ", and " : "",
                request->seconds);
    fprintf(reload->out, "), decided by both as if they came now, in %.1f s\n",
            (double)(read_ms() - begun_ms) / 1e3);
    rehearsal_tally_print(tally, reload->out);
    fprintf(reload->out, "to have it decide: kouan reload --apply %.12s\n", digest.text);
}

static void rehearse(struct reload *reload, const struct reload_request *request,
                     const struct reload_loaded *next)
{
    pthread_t thread;
    uint64_t begun_ms = read_ms();
    struct rehearsing rehearsing = {
        .settings = {.present = reload->current.config->generation,
                     .candidate = next->config->generation,
                     .names = &reload->current.names->names,
                     .store = &reload->store,
                     .folder = reload->start->journal_path,
                     .entries_max = (uint16_t)reload->start->options.entries_max,
                     .last = request->last,
                     .seconds = request->seconds,
                     .is_over = is_over,
                     .context = reload},
        .tally = calloc(1, sizeof *rehearsing.tally)};
    if (rehearsing.tally == NULL || pthread_create(&thread, NULL, run, &rehearsing) != 0) {
        free(rehearsing.tally);
        fputs("out of memory; nothing has changed\n", reload->out);
        return;
    }
    pthread_join(thread, NULL);
    if (rehearsing.status == STATUS_OK) {
        reload->word = "ok";
        report(reload, request, next, rehearsing.tally, begun_ms);
        reload->rehearsed =
            (struct reload_candidate){.is_there = true,
                                      .manifest = next->names->manifest,
                                      .secrets = digest_secrets(next->config->generation)};
    } else {
        fprintf(reload->out, "the journal could not be rehearsed: %s; nothing has changed\n",
                rehearsing.problem);
    }
    free(rehearsing.tally);
}

void reload_rehearse(struct reload *reload, const struct reload_request *request)
{
    struct reload_loaded next;
    reload->rehearsed.is_there = false;
    if (reload->store.folder_count == 0) {
        fputs("without a journal (`sync: commit`) there are no messages to rehearse by; "
              "`kouan check` and `kouan config diff OLD NEW` need none\n",
              reload->out);
        return;
    }
    if (!reload_load_files(reload, &next))
        return;
    if (reload_is_same(&reload->current, &next)) {
        reload->word = "unchanged";
        fprintf(reload->out, "nothing is new: the files are those of generation %" PRIu64 "\n",
                reload->current.names->names.number);
    } else {
        rehearse(reload, request, &next);
    }
    reload_drop(&next);
}
