/* Places of JSON samples, as jansson reads them. Arrays are transparent, as in paths: each element
 * is an occurrence of the array's own member. */
#include <jansson.h>
#include <string.h>

#include "io/cli/draft.h"

struct open_container {
    json_t *value;
    uint32_t place;   /* of an object; of an array, the place around it */
    const char *name; /* of an array: its member's */
    size_t index;
    void *iterator;
};

struct walk {
    struct draft *draft;
    uint32_t sample, depth;
    struct open_container open[SCAN_DEPTH_MAX];
};

static void walk_sample(struct walk *walk, json_t *root);

bool draft_read_json(struct draft *draft)
{
    struct walk walk = {.draft = draft};
    for (uint32_t i = 0; i < draft->sample_count; i++) {
        const struct draft_sample *sample = &draft->samples[i];
        struct bytes body = sample->text;
        json_error_t error;
        if (bytes_start_with(body, BYTES_LITERAL("\xEF\xBB\xBF")))
            body = bytes_slice(body, 3, body.size);
        json_t *root = json_loadb((const char *)body.data, body.size, JSON_ALLOW_NUL, &error);
        if (root == NULL) {
            fprintf(stderr, "%s:%d:%d: not JSON: %s\n", sample->path, error.line, error.column,
                    error.text);
            return false;
        }
        walk.sample = i;
        walk.depth = 0;
        walk_sample(&walk, root);
        json_decref(root);
    }
    return true;
}

/* A value below `outer`: an object or a scalar is a place; an array stands for its elements. */
static void meet(struct walk *walk, json_t *value, uint32_t outer, const char *name)
{
    struct draft *draft = walk->draft;
    uint32_t place = outer;
    if (!json_is_array(value)) {
        place = draft_enter(draft, outer, name, walk->sample);
        if (place == DRAFT_NO_PLACE)
            return;
    }
    if (json_is_string(value)) {
        draft_value(draft, place, bytes_make(json_string_value(value), json_string_length(value)));
    } else if (json_is_number(value)) {
        const char *number = arena_format(&draft->arena, "%.15g", json_number_value(value));
        draft_value(draft, place, bytes_from_text(number));
    } else if (json_is_boolean(value)) {
        draft_value(draft, place, bytes_from_text(json_is_true(value) ? "true" : "false"));
    } else if ((json_is_object(value) || json_is_array(value)) && walk->depth < SCAN_DEPTH_MAX) {
        walk->open[walk->depth++] = (struct open_container){
            value, place, name, 0, json_is_object(value) ? json_object_iter(value) : NULL};
    }
}

static void walk_sample(struct walk *walk, json_t *root)
{
    meet(walk, root, DRAFT_NO_PLACE, "");
    while (walk->depth > 0) {
        struct open_container *container = &walk->open[walk->depth - 1];
        if (json_is_array(container->value)) {
            json_t *element = json_array_get(container->value, container->index++);
            if (element != NULL)
                meet(walk, element, container->place, container->name);
            else
                walk->depth--;
            continue;
        }
        void *iterator = container->iterator;
        if (iterator == NULL) {
            walk->depth--;
            continue;
        }
        container->iterator = json_object_iter_next(container->value, iterator);
        meet(walk, json_object_iter_value(iterator), container->place,
             json_object_iter_key(iterator));
    }
}
