/* The state of a walk over an XML document: the open elements, the plan beside them, and what is
 * gathered of their text. Shared by routes/xml/xml.c, which walks, and routes/xml/xml_text.c, which
 * reads text and captures values. */
#ifndef KOUAN_ROUTES_XML_WALK_H
#define KOUAN_ROUTES_XML_WALK_H

#include "routes/read/gather.h"
#include "routes/scan/plan_walk.h"
#include "routes/xml/xml_index.h"
#include "routes/xml/xml_scope.h"

struct xml_element {
    struct xml_name name;
    struct plan_place place;
    uint16_t tap;          /* of its text, or TAP_NONE */
    bool gathers;          /* some of its text is gathered */
    bool has_bindings;     /* prefixes to forget at its end */
    bool is_special;       /* its children and its end are more than tags: tap, entry, bindings */
    uint32_t prefix_bytes; /* of its prefix with the colon; 0 if there is none, or a long one */
    uint64_t prefix_mask;  /* of so many bytes in a word */
};

/* Not zeroed: 90 KB, of which a document uses what its depth and taps ask for. The first element
 * stands for all that is around the root. */
struct xml_walk {
    struct scan_source source;
    struct plan_walk plan;
    struct xml_element *innermost; /* of those that are open */
    struct xml_element elements[1 + SCAN_DEPTH_MAX];
    struct gather texts[SCAN_DEPTH_MAX]; /* of each open element; before that, of its attributes */
    struct xml_index index;
    struct xml_scope scope;
    struct xml_tag tag; /* the one being read, if it has more than a name */
};

static inline uint32_t xml_walk_depth(const struct xml_walk *walk)
{
    return (uint32_t)(walk->innermost - walk->elements);
}

/* From the first stop of a text, which is not the next tag's, to that `<`. Text from `run` on that
 * is plain up to `at`; what is gathered moves `run` on. NULL after a fault, as of all that follow.
 */
const uint8_t *xml_read_text(struct xml_walk *walk, const uint8_t **run, const uint8_t *at);

/* Gathers text of the innermost element, which is tapped. */
bool xml_keep_text(struct xml_walk *walk, struct bytes text);

/* Captures the text of the innermost, tapped element, of which `rest` is not gathered yet. */
bool xml_capture_text(struct xml_walk *walk, struct bytes rest);

/* Those that are tapped, of the innermost element, whose tag this is. */
bool xml_capture_root_name(struct xml_walk *walk);
bool xml_capture_attributes(struct xml_walk *walk);

#endif
