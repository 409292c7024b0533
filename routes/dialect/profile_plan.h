/* Building a plan (routes/scan/scan.h) out of the paths of one profile: a trie for XML and JSON,
 * sorted components for EDIFACT. Equal places share a tap. Used while profiles are compiled; a
 * builder is large and lives in scratch memory, what it yields in the profile's arena. */
#ifndef KOUAN_ROUTES_PROFILE_PLAN_H
#define KOUAN_ROUTES_PROFILE_PLAN_H

#include "routes/dialect/profile.h"
#include "routes/dialect/profile_path.h"

enum { PLAN_CLAIMS_MAX = 2048 }; /* paths that one profile names, equal ones counted */

/* What a tree path relies on. Kept until all paths are known: only then is it sure that no other
 * path stands in its way. */
struct plan_claim {
    uint16_t owner; /* the caller's number of the path */
    uint16_t leaf;
    bool anywhere;
    bool has_predicate;
    uint16_t base; /* the node that the predicate stands behind */
    uint16_t predicate_leaf;
};

struct plan_builder {
    enum format format;
    struct plan_node nodes[PLAN_NODES_MAX];
    uint16_t parents[PLAN_NODES_MAX];
    uint16_t last_child[PLAN_NODES_MAX];
    uint16_t node_count;
    struct plan_component components[PLAN_TAPS_MAX];
    uint16_t component_count;
    struct bin_filter filters[PROFILE_FILTERS_MAX];
    uint16_t filter_count;
    struct plan_claim claims[PLAN_CLAIMS_MAX];
    uint16_t claim_count;
    uint16_t tap_count;
    uint16_t root_name_tap;
    uint8_t entry_tag[3];
};

void plan_builder_init(struct plan_builder *builder, enum format format);

/* Taps the place that `text` names; `owner` is kept in its claim. */
MUST_CHECK enum status plan_add_path(struct plan_builder *builder, struct bytes text,
                                     uint16_t owner, uint16_t *out_bin,
                                     struct path_fault *out_fault);

/* Makes that place the beginning of an entry. */
MUST_CHECK enum status plan_add_entries(struct plan_builder *builder, struct bytes text,
                                        uint16_t owner, struct path_fault *out_fault);

/* Makes that place the payload. XML and JSON only. */
MUST_CHECK enum status plan_add_payload(struct plan_builder *builder, struct bytes text,
                                        struct path_fault *out_fault);

/* Whether the claim can be kept beside all other paths; to be asked when all are added. */
bool plan_claim_holds(const struct plan_builder *builder, const struct plan_claim *claim,
                      struct path_fault *out_fault);

/* Copies the plan and the filters. Everything it points to lies in `arena` or in the texts that
 * were added. */
void plan_finish(const struct plan_builder *builder, struct arena *arena, struct plan *out_plan,
                 const struct bin_filter **out_filters, uint16_t *out_filter_count);

#endif
