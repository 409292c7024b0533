/* The namespace prefixes in scope, a stack bounded by XML_PREFIXES_MAX. Namespaces in XML 1.0. */
#ifndef KOUAN_ROUTES_XML_SCOPE_H
#define KOUAN_ROUTES_XML_SCOPE_H

#include "routes/xml/xml_tag.h"

enum { XML_PREFIXES_MAX = 128 };

struct xml_prefix {
    struct bytes name, uri; /* the URI as it stands in the attribute */
    uint32_t depth;         /* of the element that binds it */
};

/* Not to be zeroed: only what lies below `count` counts. */
struct xml_scope {
    uint32_t count;
    struct xml_prefix prefixes[XML_PREFIXES_MAX];
};

/* True for `xmlns` and `xmlns:p`, which bind namespaces and are no ordinary attributes. */
bool xml_binds_namespace(const struct xml_attribute *attribute);

/* Binds the prefixes that the tag declares, for `depth` and below, and checks that those which it
 * uses are bound and that no two attributes have the same namespace and local name. */
bool xml_scope_enter(struct xml_scope *scope, struct scan_source *source, const struct xml_tag *tag,
                     uint32_t depth);

/* Forgets what the element at `depth` bound. */
static inline void xml_scope_leave(struct xml_scope *scope, uint32_t depth)
{
    while (scope->count > 0 && scope->prefixes[scope->count - 1].depth == depth)
        scope->count--;
}

bool xml_scope_binds(const struct xml_scope *scope, struct bytes prefix);

/* The URI that a bound prefix stands for. */
struct bytes xml_scope_uri(const struct xml_scope *scope, struct bytes prefix);

#endif
