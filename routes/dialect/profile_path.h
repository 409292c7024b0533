/* The grammar of the profile language's paths (docs/profiles.md): text -> steps. No meaning yet;
 * routes/dialect/profile_plan.h makes taps of them.
 *
 *   XML, JSON   Order/OrderHead/orderNo   @guid   Head/@id   //dxpId   Party[RoleCode=CB]/ID name()
 *   EDIFACT     BGM/2/1   BGM/3   RFF[ABT]/1/2   LOC[1/1=60]/2/1
 */
#ifndef KOUAN_ROUTES_PROFILE_PATH_H
#define KOUAN_ROUTES_PROFILE_PATH_H

#include "routes/scan/scan.h"

enum { PATH_STEPS_MAX = 16, PATH_TEXT_BYTES_MAX = 512, PATH_ELEMENT_MAX = 99 };

struct path_step {
    struct bytes name; /* in the path's text */
    bool attribute;
};

struct tree_path {
    bool root_name; /* `name()`: no steps then */
    bool anywhere;  /* begins with `//` */
    struct path_step steps[PATH_STEPS_MAX];
    uint8_t step_count;
    /* `[a/b=value]`, or `[a/b!=value]`, behind step `predicate_step`, looked up from that step's
     * node. */
    bool has_predicate;
    uint8_t predicate_step;
    struct path_step predicate[PATH_STEPS_MAX];
    uint8_t predicate_count;
    bool predicate_differs;
    struct bytes predicate_value;
};

/* What is wrong, and at which byte of the text. */
struct path_fault {
    const char *message, *hint; /* hint may be NULL */
    size_t at;
};

/* INVALID with a fault. The results point into `text`. */
MUST_CHECK enum status path_parse_tree(struct bytes text, enum format format,
                                       struct tree_path *out_path, struct path_fault *out_fault);

/* `tap` of the result is left TAP_NONE. */
MUST_CHECK enum status path_parse_edifact(struct bytes text, struct plan_component *out_path,
                                          struct path_fault *out_fault);

/* A segment's tag: three capital letters or digits, the first a letter. */
bool path_is_tag(struct bytes text);

#endif
