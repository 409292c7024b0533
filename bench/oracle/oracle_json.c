/* JSON as jansson reads it. */
#include <jansson.h>
#include <stdio.h>

#include "bench/oracle/oracle_parts.h"

enum { NUMBER_BYTES = 64 };

/* A container that is open: an array, or an object, and where in it the walk is. */
struct frame {
    json_t *value;
    uint16_t node; /* of its elements, or above its members */
    bool begins_entry;
    size_t index; /* of an array's next element */
    void *iterator;
};

struct question {
    struct oracle *oracle;
    const struct plan *plan;
    uint32_t depth, open_entry;
    struct frame frames[SCAN_DEPTH_MAX];
};

static enum oracle_verdict walk(struct question *question, json_t *root);

enum oracle_verdict oracle_ask_json(struct oracle *oracle, const struct plan *plan,
                                    struct bytes body)
{
    json_error_t error;
    if (bytes_start_with(body, BYTES_LITERAL("\xEF\xBB\xBF")))
        body = bytes_slice(body, 3, body.size);
    if (body.size > 0 && memchr(body.data, 0, body.size) != NULL) /* jansson passes over some */
        return oracle_say(oracle, ORACLE_BROKEN, "a zero byte");
    json_t *root = json_loadb((const char *)body.data, body.size,
                              JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        switch (json_error_code(&error)) {
        case json_error_duplicate_key:
        case json_error_numeric_overflow:
        case json_error_stack_overflow:
        case json_error_out_of_memory:
        case json_error_null_byte_in_key:
            return oracle_say(oracle, ORACLE_SILENT, "jansson: %s", error.text);
        default:
            return oracle_say(oracle, ORACLE_BROKEN, "jansson: %s at byte %d", error.text,
                              error.position);
        }
    }
    struct question question = {.oracle = oracle, .plan = plan};
    enum oracle_verdict verdict = walk(&question, root);
    json_decref(root);
    return verdict;
}

/* Enters what begins an entry where none is open. */
static bool enter(struct question *question, uint16_t node)
{
    if (!oracle_begins_entry(question->plan, node, question->open_entry))
        return false;
    question->open_entry = ++question->oracle->entry_count;
    return true;
}

static void note_scalar(struct question *question, const json_t *value, uint16_t node)
{
    struct oracle *oracle = question->oracle;
    uint16_t tap = oracle_tap(question->plan, node);
    char number[NUMBER_BYTES];
    if (node == ORACLE_NODE_NONE || json_is_null(value))
        return;
    bool begins_entry = enter(question, node);
    uint32_t entry = question->open_entry;
    if (json_is_string(value)) {
        oracle_note(oracle, tap, entry,
                    bytes_make(json_string_value(value), json_string_length(value)), false);
    } else if (json_is_boolean(value)) {
        oracle_note(oracle, tap, entry, bytes_from_text(json_is_true(value) ? "true" : "false"),
                    false);
    } else {
        snprintf(number, sizeof number, "%.17g", json_number_value(value));
        oracle_note(oracle, tap, entry, bytes_from_text(number), true);
    }
    if (begins_entry)
        question->open_entry = 0;
}

static bool open_container(struct question *question, json_t *value, uint16_t node)
{
    if (question->depth == SCAN_DEPTH_MAX)
        return false;
    question->frames[question->depth++] = (struct frame){
        .value = value,
        .node = node,
        .begins_entry = json_is_object(value) && enter(question, node),
        .iterator = json_is_object(value) ? json_object_iter(value) : NULL,
    };
    return true;
}

/* The next value of the container and its node; NULL at its end. */
static json_t *next_value(struct question *question, struct frame *frame, uint16_t *out_node)
{
    if (json_is_array(frame->value)) {
        *out_node = frame->node;
        return json_array_get(frame->value, frame->index++);
    }
    void *iterator = frame->iterator;
    if (iterator == NULL)
        return NULL;
    const char *name = json_object_iter_key(iterator);
    *out_node = oracle_child(question->plan, frame->node, bytes_from_text(name), false);
    frame->iterator = json_object_iter_next(frame->value, iterator);
    return json_object_iter_value(iterator);
}

static enum oracle_verdict walk(struct question *question, json_t *root)
{
    if (!open_container(question, root, oracle_root(question->plan)))
        return ORACLE_SILENT;
    while (question->depth > 0) {
        struct frame *frame = &question->frames[question->depth - 1];
        uint16_t node;
        json_t *value = next_value(question, frame, &node);
        if (value == NULL) {
            if (frame->begins_entry)
                question->open_entry = 0;
            question->depth--;
        } else if (!json_is_object(value) && !json_is_array(value)) {
            note_scalar(question, value, node);
        } else if (!open_container(question, value, node)) {
            return oracle_say(question->oracle, ORACLE_SILENT, "nested too deep");
        }
    }
    return ORACLE_GOOD;
}
