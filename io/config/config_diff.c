#include <inttypes.h>
#include <stdlib.h>

#include "io/config/config_diff_inside.h"
#include "io/text.h"

static void compare_options(struct config_diff *diff, const struct config *started,
                            const struct config *next);
static void compare_unroutable(struct config_diff *diff, const struct generation *before,
                               const struct generation *next);
static void compare_life_cycle(struct config_diff *diff, const struct life_cycle *before,
                               const struct life_cycle *next);

void config_diff_make(const struct config *before, const struct config *started,
                      const struct config *next, struct config_diff *out_diff)
{
    *out_diff = (struct config_diff){0};
    arena_init(&out_diff->arena);
    compare_options(out_diff, started != NULL ? started : before, next);
    compare_unroutable(out_diff, before->generation, next->generation);
    compare_life_cycle(out_diff, before->generation->life_cycle, next->generation->life_cycle);
    config_diff_names(out_diff, before->generation, next->generation);
    config_diff_rules(out_diff, before->generation, next->generation);
}

void config_diff_free(struct config_diff *diff)
{
    arena_deinit(&diff->arena);
    free(diff->changes);
    *diff = (struct config_diff){0};
}

/* ---- options ---- */

static void compare_option(struct config_diff *diff, const char *name, const char *before,
                           const char *next)
{
    struct config_detail detail = {0};
    config_detail_texts(&detail, NULL, bytes_from_text(before != NULL ? before : ""),
                        bytes_from_text(next != NULL ? next : ""));
    config_diff_add_detail(diff, CHANGED_OPTION, name, &detail, true);
}

static const char *join_listen(struct arena *arena, const struct config *config)
{
    const char *joined = "";
    for (uint16_t i = 0; i < config->listen_count; i++)
        joined = arena_format(arena, "%s%s%s", joined, i > 0 ? ", " : "", config->listen[i]);
    return joined;
}

/* Without the folder of the configuration, which two of them need not share. */
static const char *path_beside(const struct config *config, const char *path)
{
    const char *slash = config->path != NULL ? strrchr(config->path, '/') : NULL;
    if (path == NULL || slash == NULL)
        return path;
    size_t size = (size_t)(slash + 1 - config->path);
    return strncmp(path, config->path, size) == 0 ? path + size : path;
}

static const char *number_text(struct arena *arena, uint64_t number, enum option_unit unit)
{
    const char *name = option_unit_name(unit);
    return arena_format(arena, "%" PRIu64 "%s%s", number, name[0] != '\0' ? " " : "", name);
}

static const char *control_of(const struct config *config)
{
    return config->has_control || config->sync == SYNC_MEMORY
               ? path_beside(config, config->control_path)
               : "none";
}

static void compare_options(struct config_diff *diff, const struct config *started,
                            const struct config *next)
{
    static const char *const switches[] = {"no", "yes"};
    static const char *const syncs[] = {[SYNC_COMMIT] = "commit", [SYNC_MEMORY] = "memory"};
    static const char *const pins[] = {[PIN_NONE] = "none", [PIN_AUTO] = "auto"};
    compare_option(diff, "listen", join_listen(&diff->arena, started),
                   join_listen(&diff->arena, next));
    compare_option(diff, "plaintext", switches[started->plaintext], switches[next->plaintext]);
    compare_option(diff, "sync", syncs[started->sync], syncs[next->sync]);
    compare_option(diff, "journal", path_beside(started, started->journal_path),
                   path_beside(next, next->journal_path));
    compare_option(diff, "journal_spare", path_beside(started, started->spare_path),
                   path_beside(next, next->spare_path));
    compare_option(diff, "control", control_of(started), control_of(next));
    compare_option(diff, "redis", started->redis != NULL ? started->redis->address : "none",
                   next->redis != NULL ? next->redis->address : "none");
    compare_option(diff, "pin", pins[started->pin], pins[next->pin]);
    for (const struct option_row *row = option_rows; row->name != NULL; row++)
        compare_option(diff, row->name,
                       number_text(&diff->arena, option_get(&started->whole, row), row->unit),
                       number_text(&diff->arena, option_get(&next->whole, row), row->unit));
}

static const char *unroutable_of(const struct generation *generation)
{
    uint16_t destination = generation->unroutable_destination;
    return destination == NO_DESTINATION ? "refuse" : generation->destinations[destination]->name;
}

static void compare_unroutable(struct config_diff *diff, const struct generation *before,
                               const struct generation *next)
{
    struct config_detail detail = {0};
    config_detail_texts(&detail, NULL, bytes_from_text(unroutable_of(before)),
                        bytes_from_text(unroutable_of(next)));
    config_diff_add_detail(diff, CHANGED_OPTION, "unroutable", &detail, false);
}

static void compare_life_cycle(struct config_diff *diff, const struct life_cycle *before,
                               const struct life_cycle *next)
{
    struct config_detail detail = {0};
    if (life_cycle_equal(before, next))
        return;
    config_detail_numbers(&detail, "states", before->state_count, next->state_count);
    config_detail_numbers(&detail, "moves", before->rule_count, next->rule_count);
    if (detail.out == NULL)
        fputs("as many states and moves, but others", config_detail_next(&detail));
    config_diff_add_detail(diff, CHANGED_OPTION, "life_cycle", &detail, false);
}

/* ---- details ---- */

FILE *config_detail_next(struct config_detail *detail)
{
    if (detail->out != NULL) {
        fputs("; ", detail->out);
        return detail->out;
    }
    detail->out = open_memstream(&detail->text, &detail->size);
    if (detail->out == NULL)
        abort();
    return detail->out;
}

static void print_side(FILE *out, struct bytes side)
{
    if (side.size > 0)
        fwrite(side.data, 1, side.size, out);
    else
        fputc('-', out);
}

void config_detail_texts(struct config_detail *detail, const char *name, struct bytes before,
                         struct bytes next)
{
    if (bytes_equal(before, next))
        return;
    FILE *out = config_detail_next(detail);
    if (name != NULL)
        fprintf(out, "%s: ", name);
    print_side(out, before);
    fputs(" -> ", out);
    print_side(out, next);
}

void config_detail_numbers(struct config_detail *detail, const char *name, uint64_t before,
                           uint64_t next)
{
    if (before != next)
        fprintf(config_detail_next(detail), "%s: %" PRIu64 " -> %" PRIu64, name, before, next);
}

void config_diff_add_detail(struct config_diff *diff, enum config_change_kind kind,
                            const char *name, struct config_detail *detail, bool needs_restart)
{
    if (detail->out == NULL)
        return;
    fclose(detail->out);
    config_diff_add(diff, kind, CHANGE_MADE, name, detail->text, needs_restart);
    free(detail->text);
    *detail = (struct config_detail){0};
}

void config_diff_add(struct config_diff *diff, enum config_change_kind kind,
                     enum config_change_how how, const char *name, const char *detail,
                     bool needs_restart)
{
    enum { CAPACITY_FIRST = 16 };
    if (diff->count == diff->capacity) {
        diff->capacity = diff->capacity > 0 ? 2 * diff->capacity : CAPACITY_FIRST;
        diff->changes = realloc(diff->changes, diff->capacity * sizeof *diff->changes);
        if (diff->changes == NULL)
            abort();
    }
    diff->restart_count += needs_restart;
    diff->changes[diff->count++] = (struct config_change){
        .kind = kind,
        .how = how,
        .name = arena_copy_text(&diff->arena, bytes_from_text(name)),
        .detail = arena_copy_text(&diff->arena, bytes_from_text(detail)),
        .needs_restart = needs_restart,
    };
}

/* ---- order ---- */

/* Those that are in no longest ascending run. */
void config_diff_mark_moved(const uint32_t *ranks, uint32_t count, struct arena *arena,
                            bool *out_moved)
{
    uint32_t *ends = arena_allocate_array(arena, count + 1U, sizeof *ends); /* of runs by length */
    uint32_t *before = arena_allocate_array(arena, count + 1U, sizeof *before);
    uint32_t longest = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t low = 0, high = longest;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            if (ranks[ends[middle]] < ranks[i])
                low = middle + 1;
            else
                high = middle;
        }
        before[i] = low > 0 ? ends[low - 1] : UINT32_MAX;
        ends[low] = i;
        longest += low == longest;
        out_moved[i] = true;
    }
    for (uint32_t i = longest > 0 ? ends[longest - 1] : UINT32_MAX; i != UINT32_MAX; i = before[i])
        out_moved[i] = false;
}

/* ---- for people and programs ---- */

static const char *const kind_names[] = {
#define X(constant, text) [CHANGED_##constant] = text,
    CONFIG_CHANGE_LIST(X)
#undef X
};

static const char *const how_names[] = {[CHANGE_ADDED] = "added",
                                        [CHANGE_REMOVED] = "removed",
                                        [CHANGE_MADE] = "changed",
                                        [CHANGE_MOVED] = "moved"};

static void print_change(const struct config_change *change, FILE *out)
{
    fprintf(out, "  %s ", kind_names[change->kind]);
    text_print(out, change->name, text_add_escaped);
    fprintf(out, " %s%s", how_names[change->how], change->detail[0] != '\0' ? ": " : "");
    text_print(out, change->detail, text_add_escaped);
    fputs(change->needs_restart ? "  (needs a restart)\n" : "\n", out);
}

void config_diff_print(const struct config_diff *diff, uint32_t lines_max, FILE *out)
{
    uint32_t listed = 0;
    for (uint32_t i = 0; i < diff->count; i++) {
        const struct config_change *change = &diff->changes[i];
        listed = i > 0 && diff->changes[i - 1].kind == change->kind ? listed + 1 : 1;
        bool is_last = i + 1 == diff->count || diff->changes[i + 1].kind != change->kind;
        if (listed <= lines_max)
            print_change(change, out);
        else if (is_last)
            fprintf(out, "  and %" PRIu32 " %ss more\n", listed - lines_max,
                    kind_names[change->kind]);
    }
    fprintf(out, "%" PRIu32 " change%s", diff->count, diff->count == 1 ? "" : "s");
    if (diff->restart_count > 0)
        fprintf(out, ", %" PRIu32 " of which wait%s for a restart", diff->restart_count,
                diff->restart_count == 1 ? "s" : "");
    fputc('\n', out);
}

void config_diff_print_json(const struct config_diff *diff, FILE *out)
{
    fputc('[', out);
    for (uint32_t i = 0; i < diff->count; i++) {
        const struct config_change *change = &diff->changes[i];
        fprintf(out, "%s{\"kind\":\"%s\",\"name\":", i > 0 ? ",\n " : "", kind_names[change->kind]);
        text_print(out, change->name, text_add_json);
        fprintf(out, ",\"how\":\"%s\",\"detail\":", how_names[change->how]);
        text_print(out, change->detail, text_add_json);
        fprintf(out, ",\"restart\":%s}", change->needs_restart ? "true" : "false");
    }
    fputc(']', out);
}
