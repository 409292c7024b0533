#include "routes/xml/xml_scope.h"

#define XML_PREFIX   BYTES_LITERAL("xml")
#define XML_URI      BYTES_LITERAL("http://www.w3.org/XML/1998/namespace")
#define XMLNS_PREFIX BYTES_LITERAL("xmlns")
#define XMLNS_URI    BYTES_LITERAL("http://www.w3.org/2000/xmlns/")

static bool bind_prefix(struct xml_scope *scope, struct scan_source *source,
                        const struct xml_attribute *attribute, uint32_t depth);
static bool check_use(const struct xml_scope *scope, struct scan_source *source,
                      const struct xml_name *name);
static bool check_unique(const struct xml_scope *scope, struct scan_source *source,
                         const struct xml_tag *tag, uint32_t index);

static bool refuse(struct scan_source *source, const uint8_t *at, const char *what)
{
    scan_refuse(source, SCAN_NAMESPACE, at, what);
    return false;
}

bool xml_binds_namespace(const struct xml_attribute *attribute)
{
    const struct xml_name *name = &attribute->name;
    struct bytes first = name->prefix_size > 0 ? xml_name_prefix(name) : xml_name_whole(name);
    return first.size == 5 && memcmp(first.data, "xmlns", 5) == 0;
}

bool xml_scope_enter(struct xml_scope *scope, struct scan_source *source, const struct xml_tag *tag,
                     uint32_t depth)
{
    for (uint32_t i = 0; i < tag->attribute_count; i++)
        if (xml_binds_namespace(&tag->attributes[i]) &&
            !bind_prefix(scope, source, &tag->attributes[i], depth))
            return false;
    if (tag->name.prefix_size > 0 && !check_use(scope, source, &tag->name))
        return false;
    for (uint32_t i = 0; i < tag->attribute_count; i++)
        if (tag->attributes[i].name.prefix_size > 0 && !xml_binds_namespace(&tag->attributes[i]) &&
            (!check_use(scope, source, &tag->attributes[i].name) ||
             !check_unique(scope, source, tag, i)))
            return false;
    return true;
}

/* The default namespace is bound under the empty prefix. */
static bool bind_prefix(struct xml_scope *scope, struct scan_source *source,
                        const struct xml_attribute *attribute, uint32_t depth)
{
    const struct xml_name *name = &attribute->name;
    struct bytes uri = attribute->value;
    struct bytes prefix = name->prefix_size > 0 ? xml_name_local(name) : bytes_make(name->data, 0);
    if (prefix.size > 0 && uri.size == 0)
        return refuse(source, name->data, "a prefix cannot be unbound");
    if (bytes_equal(prefix, XMLNS_PREFIX) || bytes_equal(uri, XMLNS_URI))
        return refuse(source, name->data, "`xmlns` cannot be bound");
    if (bytes_equal(prefix, XML_PREFIX) != bytes_equal(uri, XML_URI))
        return refuse(source, name->data, "`xml` and its namespace belong together");
    if (scope->count == XML_PREFIXES_MAX)
        return refuse(source, name->data, "more than 128 prefixes in scope");
    scope->prefixes[scope->count++] = (struct xml_prefix){prefix, uri, depth};
    return true;
}

static const struct xml_prefix *find_prefix(const struct xml_scope *scope, struct bytes name)
{
    for (uint32_t i = scope->count; i > 0; i--)
        if (bytes_equal(scope->prefixes[i - 1].name, name))
            return &scope->prefixes[i - 1];
    return NULL;
}

bool xml_scope_binds(const struct xml_scope *scope, struct bytes prefix)
{
    return find_prefix(scope, prefix) != NULL || bytes_equal(prefix, XML_PREFIX);
}

struct bytes xml_scope_uri(const struct xml_scope *scope, struct bytes prefix)
{
    const struct xml_prefix *found = find_prefix(scope, prefix);
    if (found != NULL)
        return found->uri;
    return bytes_equal(prefix, XML_PREFIX) ? XML_URI : (struct bytes){0};
}

static bool check_use(const struct xml_scope *scope, struct scan_source *source,
                      const struct xml_name *name)
{
    return xml_scope_binds(scope, xml_name_prefix(name)) || refuse(source, name->data, NULL);
}

/* Two prefixes may stand for one namespace: `a:x` and `b:x` are then the same attribute. */
static bool check_unique(const struct xml_scope *scope, struct scan_source *source,
                         const struct xml_tag *tag, uint32_t index)
{
    const struct xml_name *name = &tag->attributes[index].name;
    struct bytes uri = xml_scope_uri(scope, xml_name_prefix(name));
    for (uint32_t i = 0; i < index; i++) {
        const struct xml_name *other = &tag->attributes[i].name;
        if (other->prefix_size > 0 && !xml_binds_namespace(&tag->attributes[i]) &&
            bytes_equal(xml_name_local(other), xml_name_local(name)) &&
            bytes_equal(xml_scope_uri(scope, xml_name_prefix(other)), uri)) {
            scan_refuse(source, SCAN_MALFORMED, name->data, "the attribute appears twice");
            return false;
        }
    }
    return true;
}
