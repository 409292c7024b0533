/* YAML text as a tree of plain nodes that know their places, for what people write: profiles,
 * configurations. A small part of YAML: mappings with text names, lists, texts, empty values and
 * several documents. Every plain scalar is a text (`no` is a country, 0110 keeps its zero);
 * anchors, aliases and tags are errors. Touches no files. The nodes live in the arena. */
#ifndef KOUAN_ROUTES_YAML_H
#define KOUAN_ROUTES_YAML_H

#include "core/diagnostic.h"

enum {
    YAML_SOURCE_BYTES_MAX = 256 * 1024,
    YAML_DEPTH_MAX = 16,
    YAML_NODES_MAX = 65536,  /* of one file */
    YAML_CHILDREN_MAX = 2048 /* of one mapping or list */
};

enum yaml_kind {
    YAML_EMPTY, /* nothing, `~` or `null` */
    YAML_TEXT,
    YAML_LIST,
    YAML_MAPPING
};

struct yaml_node {
    enum yaml_kind kind;
    struct bytes text;     /* TEXT; a NUL follows */
    struct bytes name;     /* what a member of a mapping is called; else absent */
    uint32_t line, column; /* where the value begins, from 1; of a quoted text, inside the quotes */
    uint32_t name_line, name_column; /* where its name begins; 0 outside of mappings */
    uint32_t child_count;            /* LIST, MAPPING */
    struct yaml_node *first_child;   /* in the order of the text */
    struct yaml_node *last_child;
    struct yaml_node *next; /* sibling; of a document, the next document */
};

/* The documents of a text, or NULL if there is none. Errors are reported under `code` at their
 * places in the file `path`; whole documents before a syntax error are still returned. */
const struct yaml_node *yaml_parse(struct arena *arena, const char *path, struct bytes text,
                                   const char *code, struct diagnostics *diagnostics);

/* The member of that name, or NULL; also NULL if the node is no mapping. */
const struct yaml_node *yaml_member(const struct yaml_node *mapping, const char *name);

/* `a text`, `a list` ...: for errors. */
const char *yaml_kind_text(enum yaml_kind kind);

#endif
