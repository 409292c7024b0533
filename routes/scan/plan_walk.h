/* The walk of a plan's tries beside an XML or JSON document: which node an element or a value has,
 * and which entry and instance are open. */
#ifndef KOUAN_ROUTES_PLAN_WALK_H
#define KOUAN_ROUTES_PLAN_WALK_H

#include "routes/scan/plan_index.h"
#include "routes/scan/scan_source.h"

struct plan_walk {
    const struct plan *plan;
    bool looks_anywhere; /* the trie of node 1 is not empty */
    uint16_t open_entry; /* 0: none */
    uint32_t instance_count;
};

/* Where one element or value stands in the plan. */
struct plan_place {
    uint16_t node; /* or PLAN_NODE_NONE */
    uint16_t entry;
    uint32_t instance;
    bool begins_entry;
};

static inline void plan_walk_init(struct plan_walk *walk, const struct plan *plan)
{
    walk->plan = plan;
    walk->looks_anywhere =
        plan->node_count > PLAN_NODE_ANYWHERE && plan->nodes[PLAN_NODE_ANYWHERE].first_child != 0;
    walk->open_entry = 0;
    walk->instance_count = 0;
}

static inline uint16_t plan_walk_root(const struct plan_walk *walk)
{
    return walk->plan->node_count > 0 ? PLAN_NODE_ROOT : PLAN_NODE_NONE;
}

/* True if nothing can match below `node`: the way of most elements. */
static inline bool plan_walk_is_lost(const struct plan_walk *walk, uint16_t node)
{
    return node == PLAN_NODE_NONE && !walk->looks_anywhere;
}

/* The node of a child of `node`, by the first trie, else by the one for any depth. The name has
 * 8 readable bytes, whatever its size. */
static inline uint16_t plan_walk_child(const struct plan_walk *walk, uint16_t node,
                                       struct bytes name, bool attribute)
{
    uint16_t child = PLAN_NODE_NONE;
    if (node != PLAN_NODE_NONE)
        child = plan_index_find(walk->plan, node, name, attribute);
    if (child == PLAN_NODE_NONE && walk->looks_anywhere)
        child = plan_index_find(walk->plan, PLAN_NODE_ANYWHERE, name, attribute);
    return child;
}

static inline uint16_t plan_walk_tap(const struct plan_walk *walk, uint16_t node)
{
    return node == PLAN_NODE_NONE ? TAP_NONE : walk->plan->nodes[node].tap;
}

/* Two are one too many, and so enough to count. */
static inline void plan_walk_note_payload(struct scan_source *source, const uint8_t *at)
{
    struct scan *scan = source->scan;
    if (scan->payload_count == 0)
        scan->payload_offset = scan_offset(source, at);
    scan->payload_count = scan->payload_count == 0 ? 1 : 2;
}

/* Enters an element or value with this node, which begins at `at`, out of `outer`. An entry node
 * inside an open entry is just a part of that. False, and a fault, past the scan's entries_max. */
static inline bool plan_walk_enter(struct plan_walk *walk, struct scan_source *source,
                                   const struct plan_place *outer, uint16_t node, const uint8_t *at,
                                   struct plan_place *out_place)
{
    struct plan_place place = {node, walk->open_entry, outer->instance, false};
    if (node != PLAN_NODE_NONE) {
        const struct plan_node *known = &walk->plan->nodes[node];
        if (known->entry && walk->open_entry == 0) {
            if (source->scan->entry_count == source->scan->entries_max) {
                scan_refuse(source, SCAN_TOO_MANY_ENTRIES, at, NULL);
                return false;
            }
            place.entry = walk->open_entry = ++source->scan->entry_count;
            place.begins_entry = true;
        }
        if (known->instance) {
            place.instance = ++walk->instance_count;
            if (known->payload)
                plan_walk_note_payload(source, at);
        }
    }
    *out_place = place;
    return true;
}

static inline void plan_walk_leave(struct plan_walk *walk, const struct plan_place *place)
{
    if (place->begins_entry)
        walk->open_entry = 0;
}

#endif
