/* `kouan-bench compare OLD.json NEW.json`: what changed between two results of one scenario. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/command.h"
#include "bench/race/result_json.h"

struct comparison {
    const json_t *old, *new;
};

static void print_help(void)
{
    puts("kouan-bench compare OLD.json NEW.json\n"
         "Compares two results of `kouan-bench run --json` or `sweep --json`, point by point and\n"
         "peer by peer: the figures of both, and the change. Says what else is not the same in\n"
         "both: the machine, the kernel, the settings. Exit code 2 if they are not of one\n"
         "scenario.");
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* Where a name has a dot, it is of a member's member. */
static const json_t *find(const json_t *object, const char *name)
{
    char first[32];
    const char *dot = strchr(name, '.');
    if (dot == NULL)
        return json_object_get(object, name);
    snprintf(first, sizeof first, "%.*s", (int)(dot - name), name);
    return json_object_get(json_object_get(object, first), dot + 1);
}

static void print_figure(const struct comparison *of, const char *name)
{
    const json_t *old = find(of->old, name), *new = find(of->new, name);
    if (!json_is_number(old) || !json_is_number(new))
        return;
    double before = json_number_value(old), after = json_number_value(new);
    printf("  %-28s %14.4g %14.4g", name, before, after);
    if (before > 0)
        printf(" %+8.1f %%", (after / before - 1) * 100);
    putchar('\n');
}

static void print_figures(const struct comparison *of)
{
    static const char *const names[] = {"messages_per_second",
                                        "cpu_ns_per_message",
                                        "process_cpu_ns_per_message",
                                        "client_cpu_ns_per_message",
                                        "latency_us.p50",
                                        "latency_us.p99",
                                        "latency_us.p999",
                                        "latency_us.max",
                                        "disk_us.p50",
                                        "disk_us.p999",
                                        "knee.load_percent",
                                        "knee.messages_per_second"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        print_figure(of, names[i]);
}

static void print_ratios(const struct comparison *of)
{
    static const char *const names[] = {"messages_per_second", "cpu_ns_per_message",
                                        "process_cpu_ns_per_message"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const json_t *old = json_object_get(find(of->old, "ratio"), names[i]);
        const json_t *new = json_object_get(find(of->new, "ratio"), names[i]);
        double before = json_number_value(json_object_get(old, "median"));
        double after = json_number_value(json_object_get(new, "median"));
        if (before > 0 && after > 0)
            printf("  kouan's, of its %-26s %.3f (%.3f to %.3f), now %.3f (%.3f to %.3f)\n",
                   names[i], before, json_number_value(json_object_get(old, "low")),
                   json_number_value(json_object_get(old, "high")), after,
                   json_number_value(json_object_get(new, "low")),
                   json_number_value(json_object_get(new, "high")));
    }
}

static void print_point(const struct comparison *of, const char *title)
{
    const char *name;
    json_t *peer;
    printf("%-30s %14s %14s %10s\n", title, "old", "new", "change");
    print_figures(of);
    json_object_foreach(json_object_get(of->old, "peers"), name, peer)
    {
        struct comparison both = {peer, json_object_get(json_object_get(of->new, "peers"), name)};
        if (both.new == NULL)
            continue;
        printf(" %s\n", name);
        print_figures(&both);
        print_ratios(&both);
    }
}

/* The points that both have, by their labels. */
static void print_points(const struct comparison *of)
{
    const json_t *olds = json_object_get(of->old, "points");
    const json_t *news = json_object_get(of->new, "points");
    for (size_t i = 0; i < json_array_size(olds); i++)
        for (size_t j = 0; j < json_array_size(news); j++) {
            struct comparison both = {json_array_get(olds, i), json_array_get(news, j)};
            if (strcmp(text_of(both.old, "label"), text_of(both.new, "label")) == 0)
                print_point(&both, text_of(both.old, "label"));
        }
}

static void print_differences(const struct comparison *of)
{
    static const char *const names[] = {"machine", "kernel"};
    const char *name;
    json_t *before;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text_of(of->old, names[i]), text_of(of->new, names[i])) != 0)
            printf("another %s: %s, now %s\n", names[i], text_of(of->old, names[i]),
                   text_of(of->new, names[i]));
    json_object_foreach(json_object_get(of->old, "settings"), name, before)
    {
        const json_t *after = json_object_get(json_object_get(of->new, "settings"), name);
        if (json_equal(before, after))
            continue;
        char *old_text = json_dumps(before, JSON_ENCODE_ANY);
        char *new_text = after != NULL ? json_dumps(after, JSON_ENCODE_ANY) : NULL;
        printf("another setting: %s %s, now %s\n", name, old_text,
               new_text != NULL ? new_text : "none");
        free(old_text);
        free(new_text);
    }
}

static int compare(const struct comparison *of)
{
    const char *old_name = text_of(of->old, "scenario"), *new_name = text_of(of->new, "scenario");
    if (old_name[0] == '\0' || strcmp(old_name, new_name) != 0) {
        fprintf(stderr, "kouan-bench: not results of one scenario: `%s` and `%s`\n", old_name,
                new_name);
        return EXIT_USAGE;
    }
    printf("%s: %s, now %s\n", old_name, text_of(of->old, "commit"), text_of(of->new, "commit"));
    print_differences(of);
    putchar('\n');
    print_points(of);
    if (json_object_get(of->old, "points") == NULL || json_object_get(of->new, "knee") != NULL)
        print_point(of, "as fast as it goes");
    return EXIT_OK;
}

int command_compare(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_help();
        return EXIT_OK;
    }
    if (argc != 3) {
        fputs("kouan-bench: compare takes two files: OLD.json NEW.json\n", stderr);
        return EXIT_USAGE;
    }
    json_t *old = result_json_read(argv[1]), *new = result_json_read(argv[2]);
    int code = EXIT_USAGE;
    if (old != NULL && new != NULL)
        code = compare(&(struct comparison){old, new});
    json_decref(old);
    json_decref(new);
    return code;
}
