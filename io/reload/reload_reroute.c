/* Messages are rerouted by the generation that runs: planned, then carried out piece by piece. */
#include <inttypes.h>

#include "io/reload/reload_inside.h"
#include "io/reroute/reroute.h"
#include "io/shard/server_inside.h"

enum { PIECE_MS = 500 }; /* so that who waits sees how far it is */

static bool is_over(const void *context)
{
    const struct reload *reload = context;
    return atomic_load(&reload->ends) || atomic_load(&reload->is_abandoned);
}

void reload_drop_reroute(struct reload *reload)
{
    reroute_close(reload->reroute);
    reload->reroute = NULL;
}

static bool is_known(const struct reload *reload, const char *destination)
{
    const struct generation *generation = reload->current.config->generation;
    for (uint16_t d = 0; d < generation->destination_count; d++)
        if (strcmp(generation->destinations[d]->name, destination) == 0)
            return true;
    return false;
}

void reload_plan_reroute(struct reload *reload, const struct reload_request *request)
{
    char problem[LOG_PROBLEM_BYTES];
    const struct reroute_settings settings = {.server = reload->server,
                                              .present = reload->current.config->generation,
                                              .names = &reload->current.names->names,
                                              .store = &reload->store,
                                              .folder = reload->start->journal_path,
                                              .entries_max =
                                                  (uint16_t)reload->start->options.entries_max,
                                              .is_over = is_over,
                                              .context = reload};
    reload_drop_reroute(reload);
    if (reload->store.folder_count == 0) {
        fputs("without a journal (`sync: commit`) there are no messages to decide once more\n",
              reload->out);
        return;
    }
    if (request->reroute.id_count == 0 && !is_known(reload, request->reroute.from)) {
        fprintf(reload->out, "there is no destination %s\n", request->reroute.from);
        return;
    }
    if (reroute_plan(&settings, &request->reroute, &reload->reroute, problem) != STATUS_OK) {
        fprintf(reload->out, "nothing has changed: %s\n", problem);
        return;
    }
    reload->word = reroute_total(reload->reroute) > 0 ? "ok" : "unchanged";
    reroute_print_plan(reload->reroute, reload->out);
}

void reload_carry_out_reroute(struct reload *reload, const struct reload_request *request)
{
    char problem[LOG_PROBLEM_BYTES] = "";
    if (reload->reroute == NULL || !reroute_is_of(reload->reroute, &request->reroute)) {
        fputs("that was not planned last, or by another generation: the same without APPLY first; "
              "nothing has changed\n",
              reload->out);
        return;
    }
    struct reroute *reroute = reload->reroute;
    bool has_more = false;
    enum status status = reroute_carry_out(reroute, PIECE_MS, &has_more, problem);
    if (status == STATUS_OK && has_more) {
        reload->word = "more";
        fprintf(reload->out, "%" PRIu64 " of %" PRIu64 " messages\n", reroute_done(reroute),
                reroute_total(reroute));
        return;
    }
    if (status == STATUS_OK)
        reload->word = "ok";
    else
        fprintf(reload->out, "not all: %s; reroute again for the rest\n", problem);
    reroute_print_result(reroute, reload->out);
    fprintf(stderr, "kouan: reroute by %s: %s\n", request->by, reload->word);
    reroute_print_result(reroute, stderr);
    reload_drop_reroute(reload);
}
