/* The one interface behind which the three scanners stand. A scanner walks a body once, checks that
 * it is well-formed, and writes a capture for each place that the plan taps. It builds no tree,
 * allocates nothing, never recurses, and reads at most BYTES_PADDING bytes past the body's end.
 *
 *   body --scan_xml | scan_json | scan_edifact--> captures --extract (routes/read/extract.c)-->
 * reading
 *
 * Captured values are normalised (entities, CDATA, escapes, release characters, charset -> UTF-8),
 * trimmed, and never empty: an empty element is an absent value. A value that stands in the body as
 * it is stays a view of the body; one that had to be decoded lies in the space's text. */
#ifndef KOUAN_ROUTES_SCAN_H
#define KOUAN_ROUTES_SCAN_H

#include "core/arena.h"
#include "core/status.h"
#include "routes/read/reading.h"
#include "routes/scan/scan_fault.h"

enum format { FORMAT_EDIFACT, FORMAT_XML, FORMAT_JSON, FORMAT_COUNT };

enum {
    SCAN_DEPTH_MAX = 64,      /* nested elements, objects or arrays */
    SCAN_CAPTURES_MAX = 8192, /* captures of one message */
    PLAN_TAPS_MAX = 256,      /* tapped places of one profile */
    PLAN_NODES_MAX = 1024,
    PLAN_ELEMENT_MAX = 255,  /* number of an EDIFACT element that a plan may tap */
    EDIFACT_PARTS_MAX = 256, /* messages of one body; one more is TOO_MANY_MESSAGES */
    TAP_NONE = 0xFFFF
};

/* ---- The plan: what a profile's paths compile to -------------------------------------------- */

/* XML and JSON: a trie of steps. Node 0 is the document's root element (XML) or root value (JSON)
 * itself; its children are its child elements or members. Arrays are transparent: an element of an
 * array has the node of the array's own member. Node 1 is the root of a second trie, whose children
 * match an element or member of that name at any depth below the root where the first trie has no
 * child of that name (`//dxpId`). Siblings have distinct (name, attribute) pairs, so a walk is
 * deterministic. */
struct plan_node {
    struct bytes name;     /* XML local name, without prefix */
    uint16_t first_child;  /* 0: none */
    uint16_t next_sibling; /* 0: none */
    uint16_t tap;          /* captures its direct text or scalar value; TAP_NONE */
    bool attribute;        /* an XML attribute of its parent (leaf) */
    bool entry;            /* each occurrence begins a new entry, and its end ends it */
    bool instance;         /* each occurrence counts as a new instance for predicates below it */
    bool payload;          /* an instance whose place is noted in the scan: routes/read/payload.h */
};

/* EDIFACT: one row a tapped component. Rows of one tag stand together, in the order of the tags.
 * UNB, UNG, UNH and UNT are segments like any other. */
struct plan_component {
    uint8_t tag[3];
    uint16_t tap;
    /* From 1, as in the directories: BGM 2/1 is C106 1004. Elements to PLAN_ELEMENT_MAX. */
    uint16_t element, component;
    /* Only where element/component of the same segment equals this; element 0: no condition. */
    uint16_t qualifier_element, qualifier_component;
    struct bytes qualifier;
};

struct plan {
    enum format format;
    uint16_t tap_count;
    const struct plan_node *nodes;
    uint16_t node_count;
    const struct plan_component *components;
    uint16_t component_count;
    uint8_t entry_tag[3]; /* EDIFACT: the segment that begins an entry; {0} for none. An entry
                             ends where the next begins, at UNS, or at UNT. */
    bool strict;          /* EDIFACT: a wrong count or reference of the envelope is a fault */
    bool root_name_tapped;
    uint16_t root_name_tap; /* XML: captures the local name of the root element; else TAP_NONE */
    const struct plan_index *index; /* routes/scan/plan_index.h: built when the rest is complete */
};

/* ---- Captures -------------------------------------------------------------------------------- */

struct capture {
    struct bytes value;
    uint16_t tap;
    uint16_t entry;    /* 0: outside of entries */
    uint32_t instance; /* of the innermost enclosing instance node (from 1; 0: none); EDIFACT: the
                          number of the segment, from 1 */
    uint32_t offset;   /* where the value begins in the body, for faults */
};

/* Scratch of one scan, reserved once per shard. */
struct scan {
    struct capture *captures; /* SCAN_CAPTURES_MAX */
    uint32_t capture_count;
    uint16_t entry_count;        /* entries begun */
    uint16_t entries_max;        /* one more is refused; 1 to READING_ENTRIES_MAX */
    uint16_t payload_count;      /* payload nodes seen, up to 2 */
    uint32_t payload_offset;     /* where the first begins: its tag's `<`, or the value */
    struct reading_space *space; /* where decoded text goes */
    struct charsets *charsets;   /* routes/scan/charset.h */
};

/* OK, or INVALID with a fault, or FULL when the space's text has no room left (the caller ends the
 * batch and tries again with an empty space). On failure the captures are unspecified. */
MUST_CHECK enum status scan_xml(const struct plan *plan, struct bytes body, struct scan *scan,
                                struct scan_fault *out_fault);
MUST_CHECK enum status scan_json(const struct plan *plan, struct bytes body, struct scan *scan,
                                 struct scan_fault *out_fault);
MUST_CHECK enum status scan_edifact(const struct plan *plan, struct bytes body, struct scan *scan,
                                    struct scan_fault *out_fault);

/* ---- EDIFACT bodies of several messages --------------------------------------------------------
 *
 * `scan_edifact` reads a body of one message in one go, and refuses one of several with
 * MANY_MESSAGES at the second. Such a body is split first; then each part is read as if it had come
 * alone in its envelope. */

/* The service characters in force: those of a UNA, or the default ones. */
struct edifact_syntax {
    uint8_t component, element, terminator;
    uint8_t release;      /* 0: none. The byte after it stands for itself. */
    uint8_t repetition;   /* 0: none. Syntax 4 only; its default waits for the version in UNB. */
    bool service_advice;  /* a UNA was there */
    bool byte_order_mark; /* one was there, so the body is UTF-8 whatever UNB says */
    bool guessed;         /* no UNA, and other characters than the default ones */
    uint32_t start;       /* where the segments begin: after BOM and UNA; blanks may follow */
};

/* One message of a body. The views are of the body; those of segments end with their terminators,
 * and are absent if there is no such segment. */
struct edifact_part {
    struct bytes message;            /* UNH to UNT, and the packages (UNO to UNP) behind it */
    struct bytes advice;             /* the UNA in force */
    struct bytes interchange, group; /* UNB, UNG */
    struct bytes group_end;          /* UNE */
    struct bytes interchange_end;    /* UNZ */
    uint32_t group_count;            /* messages and packages in its group */
    uint32_t interchange_count;      /* groups, and messages and packages outside of groups */
    struct edifact_syntax syntax;
};

/* The messages of a body in their order; at least one. Checks the nesting of UNB, UNG, UNH and UNO
 * and the tags of all segments; what else a message holds is checked when the part is read. INVALID
 * with a fault (TOO_MANY_MESSAGES past `capacity`); the parts are then unspecified. */
MUST_CHECK enum status scan_edifact_split(struct bytes body, struct edifact_part *out_parts,
                                          uint32_t capacity, uint32_t *out_count,
                                          struct scan_fault *out_fault);

/* As `scan_edifact`, of one part of the body. Offsets count in the whole body. */
MUST_CHECK enum status scan_edifact_part(const struct plan *plan, struct bytes body,
                                         const struct edifact_part *part, struct scan *scan,
                                         struct scan_fault *out_fault);

/* What a trailer says amiss: a body can be read all the same. */
struct edifact_warning {
    const char *what;      /* a static sentence */
    uint32_t offset;       /* where it is said */
    struct bytes found;    /* as it is said; views of the body; both absent if a UNZ is */
    struct bytes expected; /* a reference; else */
    bool counts;           /* ... a count: */
    uint32_t expected_count;
};

/* Where counts and references are wrong in UNT (0074, 0062), UNE (0060, 0048), UNZ (0036, 0020) and
 * UNP (0810, 0800), of all messages of the body; and that it ends without a UNZ (offset: its size).
 * There may be more than `capacity`: the first of them are written. INVALID with a fault if the
 * body cannot be walked. */
MUST_CHECK enum status scan_edifact_warnings(struct bytes body,
                                             struct edifact_warning *out_warnings,
                                             uint32_t capacity, uint32_t *out_count,
                                             struct scan_fault *out_fault);

/* ---- Peeks: just enough to choose a profile, without a plan ---------------------------------- */

/* By the first bytes that are neither BOM nor blank: `<`; `{` or `[`; UNA, UNB, UNG or UNH. */
MUST_CHECK enum status scan_sniff(struct bytes body, enum format *out_format,
                                  struct scan_fault *out_fault);

struct xml_peek {
    struct bytes root;           /* local name of the root element */
    struct bytes root_namespace; /* absent if none; raw bytes of the attribute */
};
MUST_CHECK enum status scan_xml_peek(struct bytes body, struct xml_peek *out_peek,
                                     struct scan_fault *out_fault);

struct edifact_peek {
    struct bytes type, version, release,
        agency;          /* UNH S009: 0065, 0052, 0054, 0051; may be absent */
    bool service_advice; /* a UNA was there */
};
/* Of the first message. */
MUST_CHECK enum status scan_edifact_peek(struct bytes body, struct edifact_peek *out_peek,
                                         struct scan_fault *out_fault);
/* Of one part of a body that was split. */
MUST_CHECK enum status scan_edifact_part_peek(struct bytes body, const struct edifact_part *part,
                                              struct edifact_peek *out_peek,
                                              struct scan_fault *out_fault);

#endif
