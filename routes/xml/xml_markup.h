/* What stands in XML beside tags and text: the prolog with its declaration, comments, processing
 * instructions and CDATA sections. Each reader checks well-formedness as it goes, and returns what
 * follows, or NULL after a fault. A document type declaration is a fault. */
#ifndef KOUAN_ROUTES_XML_MARKUP_H
#define KOUAN_ROUTES_XML_MARKUP_H

#include "routes/scan/scan_source.h"

/* From the start of the body to the `<` of the root element. Sets the source's charset: UTF-8 if
 * there is a byte order mark, else what the XML declaration says, else UTF-8. */
const uint8_t *xml_read_prolog(struct scan_source *source);

/* From past the root element to the end of the body. */
const uint8_t *xml_read_epilog(struct scan_source *source, const uint8_t *at);

/* A comment or, inside an element, a CDATA section, whose inside is then set; `at` is at `<!`. */
const uint8_t *xml_read_comment(struct scan_source *source, const uint8_t *at);
const uint8_t *xml_read_comment_or_cdata(struct scan_source *source, const uint8_t *at,
                                         struct bytes *out_cdata);

/* `at` is at `<?`. */
const uint8_t *xml_read_instruction(struct scan_source *source, const uint8_t *at);

/* True if `]]>` stands at `at`. */
bool xml_sees_cdata_end(const struct scan_source *source, const uint8_t *at);

#endif
