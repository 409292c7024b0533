/* The generations that records of the log may name: the current one, and those before it that are
 * still spoken of. What an old record holds by index is asked for here, by its generation: its name
 * then, and which index bears that name now. One owner thread. */
#ifndef KOUAN_ROUTES_GENERATION_LIST_H
#define KOUAN_ROUTES_GENERATION_LIST_H

#include "core/record.h"
#include "routes/generation_names.h"

struct listed_generation {
    uint64_t number;
    const struct generation_names *names;
    /* Index then -> index now, or GENERATION_NO_INDEX; made when they are first asked for. */
    struct arena arena;
    const struct generation_names *mapped_to; /* NULL: they are not made yet */
    const uint16_t *now[NAME_KIND_COUNT];
    const uint16_t *tables_now;
};

struct generation_list {
    struct arena arena;
    struct listed_generation *items; /* [0] is the current one */
    uint32_t count, capacity;
};

/* The names of what is added may lie in its arena. */
void generation_list_init(struct generation_list *list);
void generation_list_deinit(struct generation_list *list);

/* The current one first, then older ones; nothing if its number is listed. */
void generation_list_add(struct generation_list *list, const struct generation_names *names);
/* From now on this is the current one, which was not listed. The names stay the caller's, and
 * outlive the list. */
void generation_list_advance(struct generation_list *list, const struct generation_names *names);

/* NULL if it is not listed. */
const struct listed_generation *generation_list_find(const struct generation_list *list,
                                                     uint64_t number);

static inline uint64_t generation_list_current(const struct generation_list *list)
{
    return list->items[0].number;
}

/* Gives the current one its number, when the log has told which comes next. */
static inline void generation_list_set_current(struct generation_list *list, uint64_t number)
{
    list->items[0].number = number;
}

/* Never NULL: "?" for what is not known. */
const char *generation_list_name(const struct generation_list *list, uint64_t number,
                                 enum generation_name kind, uint32_t index);
const char *generation_list_table(const struct generation_list *list, uint64_t number,
                                  uint32_t rule);
const char *generation_list_rule(const struct generation_list *list, uint64_t number,
                                 uint32_t rule);

/* The index that the name of an index in generation `number` has now; GENERATION_NO_INDEX if there
 * is none. */
uint16_t generation_list_now(const struct generation_list *list, uint64_t number,
                             enum generation_name kind, uint32_t index);

/* The rule of the same id in the table of the same name; false if there is none any more. */
bool generation_list_rule_now(const struct generation_list *list, uint64_t number, uint32_t rule,
                              uint32_t *out_rule);

/* A destination of a record, RECORD_HELD aside, as it is numbered now. */
static inline uint16_t generation_list_destination(const struct generation_list *list,
                                                   const struct record *record, uint16_t index)
{
    uint16_t destination = record_destinations(record)[index] & (uint16_t)~RECORD_HELD;
    return record->generation == generation_list_current(list)
               ? destination
               : generation_list_now(list, record->generation, NAME_DESTINATION, destination);
}

#endif
