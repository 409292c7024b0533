/* XML tags, their names and attributes, and references, without regard to what is around them. Each
 * reader checks well-formedness as it goes, and returns what follows, or NULL after a fault. */
#ifndef KOUAN_ROUTES_XML_TAG_H
#define KOUAN_ROUTES_XML_TAG_H

#include "routes/scan/scan_source.h"
#include "routes/xml/xml_index.h"

enum { XML_ATTRIBUTES_MAX = 128 }; /* in one tag; real ones have about 20 */

/* `prefix:local`, or `local` alone: then `prefix_size` is 0. */
struct xml_name {
    const uint8_t *data;
    uint32_t size, prefix_size;
};

struct xml_attribute {
    struct xml_name name;
    struct bytes value; /* as it stands between the quotes; its references are checked */
};

struct xml_tag {
    struct xml_name name;
    bool shares_prefix; /* with the element around it: what is bound there is bound here */
    bool closed;        /* `<name/>` */
    uint32_t attribute_count;
    struct xml_attribute attributes[XML_ATTRIBUTES_MAX];
};

static inline struct bytes xml_name_whole(const struct xml_name *name)
{
    return bytes_make(name->data, name->size);
}

static inline struct bytes xml_name_prefix(const struct xml_name *name)
{
    return bytes_make(name->data, name->prefix_size);
}

static inline struct bytes xml_name_local(const struct xml_name *name)
{
    uint32_t skipped = name->prefix_size == 0 ? 0 : name->prefix_size + 1;
    return bytes_make(name->data + skipped, name->size - skipped);
}

/* `at` is past the `<`. `outer` is the name of the element around it, whose prefix it has more
 * often than not. Attributes are unique by their whole names. */
const uint8_t *xml_read_tag(struct scan_source *source, const uint8_t *at,
                            const struct xml_name *outer, struct xml_tag *out_tag);

/* The same of a tag that the index knows enough about, as most: it lies in one window, its values
 * stand in double quotes right behind the names, without references. The stop that was taken last
 * is the tag's `<`. NULL if it is another tag, or broken: then read it anew. */
const uint8_t *xml_read_plain_tag(const struct xml_index *index, const uint8_t *at,
                                  const struct xml_name *outer, struct xml_tag *out_tag);

/* `name = "value"`; `at` is at the name. */
const uint8_t *xml_read_attribute(struct scan_source *source, const uint8_t *at,
                                  struct xml_attribute *out_attribute);

/* A name without a colon. */
const uint8_t *xml_read_plain_name(struct scan_source *source, const uint8_t *at);

/* `at` is at the `&`. */
const uint8_t *xml_read_reference(struct scan_source *source, const uint8_t *at,
                                  uint32_t *out_code_point);

/* True if the byte before `at` begins a GB18030 character that the byte at `at` ends. Such a byte
 * may be any from 0x40 on, and so look like syntax. */
bool xml_is_second_byte(const struct scan_source *source, const uint8_t *at);

#endif
