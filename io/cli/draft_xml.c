/* Places of XML samples, as expat reads them. */
#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "io/cli/draft.h"

enum { SEPARATOR = '\n' }; /* between a name's namespace and its local part */

struct open_element {
    uint32_t place;
    char *text; /* direct text so far; of the first bytes only */
    size_t size;
};

enum { TEXT_BYTES = 256 };

struct walk {
    struct draft *draft;
    uint32_t sample, depth;
    struct open_element open[SCAN_DEPTH_MAX];
    char texts[SCAN_DEPTH_MAX][TEXT_BYTES];
};

static bool read_sample(struct walk *walk, const struct draft_sample *sample);

bool draft_read_xml(struct draft *draft)
{
    struct walk *walk = calloc(1, sizeof *walk);
    bool good = walk != NULL;
    for (uint32_t i = 0; i < draft->sample_count && good; i++) {
        walk->draft = draft;
        walk->sample = i;
        walk->depth = 0;
        good = read_sample(walk, &draft->samples[i]);
    }
    free(walk);
    return good;
}

static const char *local_name(const XML_Char *name)
{
    const char *separator = strrchr(name, SEPARATOR);
    return separator == NULL ? name : separator + 1;
}

/* The namespace of all roots so far: the same, or what they have in common and `*`. */
static void take_namespace(struct draft *draft, const XML_Char *name, bool first)
{
    const char *separator = strrchr(name, SEPARATOR);
    const char *here =
        arena_format(&draft->arena, "%.*s", separator == NULL ? 0 : (int)(separator - name), name);
    const char *known = draft->root_namespace;
    if (first) {
        draft->root_namespace = here[0] != '\0' ? here : NULL;
        return;
    }
    if (known == NULL || strcmp(known, here) == 0)
        return;
    size_t common = 0;
    while (known[common] != '\0' && known[common] != '*' && known[common] == here[common])
        common++;
    enum { COMMON_MIN = 8 }; /* less says nothing: `http://` */
    draft->root_namespace =
        common < COMMON_MIN ? NULL : arena_format(&draft->arena, "%.*s*", (int)common, known);
}

static void begin_element(void *data, const XML_Char *name, const XML_Char **attributes)
{
    struct walk *walk = data;
    struct draft *draft = walk->draft;
    if (walk->depth >= SCAN_DEPTH_MAX) {
        walk->depth++;
        return;
    }
    uint32_t outer = walk->depth == 0 ? DRAFT_NO_PLACE : walk->open[walk->depth - 1].place;
    if (walk->depth == 0) {
        take_namespace(draft, name, walk->sample == 0);
        draft_add_name(draft, local_name(name));
    }
    bool lost = walk->depth > 0 && outer == DRAFT_NO_PLACE;
    uint32_t place =
        lost ? DRAFT_NO_PLACE : draft_enter(draft, outer, local_name(name), walk->sample);
    walk->open[walk->depth] = (struct open_element){place, walk->texts[walk->depth], 0};
    walk->depth++;
    for (; attributes[0] != NULL && place != DRAFT_NO_PLACE; attributes += 2) {
        const char *local = arena_format(&draft->arena, "@%s", local_name(attributes[0]));
        draft_value(draft, draft_enter(draft, place, local, walk->sample),
                    bytes_from_text(attributes[1]));
    }
}

static void add_text(void *data, const XML_Char *text, int size)
{
    struct walk *walk = data;
    if (walk->depth == 0 || walk->depth > SCAN_DEPTH_MAX)
        return;
    struct open_element *element = &walk->open[walk->depth - 1];
    size_t room = TEXT_BYTES - element->size, taken = (size_t)size < room ? (size_t)size : room;
    memcpy(element->text + element->size, text, taken);
    element->size += taken;
}

static void end_element(void *data, const XML_Char *name)
{
    struct walk *walk = data;
    (void)name;
    if (walk->depth-- > SCAN_DEPTH_MAX)
        return;
    const struct open_element *element = &walk->open[walk->depth];
    draft_value(walk->draft, element->place, bytes_make(element->text, element->size));
}

static bool read_sample(struct walk *walk, const struct draft_sample *sample)
{
    XML_Parser parser = XML_ParserCreateNS("UTF-8", SEPARATOR);
    if (parser == NULL)
        abort();
    XML_SetUserData(parser, walk);
    XML_SetElementHandler(parser, begin_element, end_element);
    XML_SetCharacterDataHandler(parser, add_text);
    bool good = XML_Parse(parser, (const char *)sample->text.data, (int)sample->text.size,
                          XML_TRUE) == XML_STATUS_OK;
    if (!good)
        fprintf(stderr, "%s:%lu:%lu: not well-formed XML: %s\n", sample->path,
                (unsigned long)XML_GetCurrentLineNumber(parser),
                (unsigned long)XML_GetCurrentColumnNumber(parser) + 1,
                XML_ErrorString(XML_GetErrorCode(parser)));
    XML_ParserFree(parser);
    return good;
}
