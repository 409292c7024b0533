/* XML as expat reads it, with its namespaces. */
#include <expat.h>
#include <stdlib.h>

#include "bench/oracle/oracle_parts.h"

enum { SEPARATOR = '\n' }; /* between a name's namespace and its local part: in no name */

struct frame {
    uint16_t node;
    uint32_t entry;
    bool begins_entry;
    char *text; /* direct text so far */
    size_t size, capacity;
};

struct question {
    struct oracle *oracle;
    const struct plan *plan;
    XML_Parser parser;
    uint32_t depth, open_entry;
    bool silent;
    struct frame frames[SCAN_DEPTH_MAX];
};

static void begin_document(void *data, const XML_Char *version, const XML_Char *encoding,
                           int standalone);
static void begin_element(void *data, const XML_Char *name, const XML_Char **attributes);
static void end_element(void *data, const XML_Char *name);
static void add_text(void *data, const XML_Char *text, int size);
static void check_version(void *data, const XML_Char *version, const XML_Char *encoding,
                          int standalone);
static void begin_doctype(void *data, const XML_Char *name, const XML_Char *system_id,
                          const XML_Char *public_id, int has_internal_subset);

enum oracle_verdict oracle_ask_xml(struct oracle *oracle, const struct plan *plan,
                                   struct bytes body)
{
    static struct question question; /* large, and one is asked at a time */
    question = (struct question){.oracle = oracle, .plan = plan};
    if (body.size > 1 && (body.data[0] == 0 || body.data[1] == 0))
        return oracle_say(oracle, ORACLE_SILENT, "UTF-16 is scanned as a transcript");
    XML_Parser parser = question.parser = XML_ParserCreateNS(NULL, SEPARATOR);
    if (parser == NULL)
        abort();
    XML_SetUserData(parser, &question);
    XML_SetXmlDeclHandler(parser, begin_document);
    XML_SetElementHandler(parser, begin_element, end_element);
    XML_SetCharacterDataHandler(parser, add_text);
    XML_SetStartDoctypeDeclHandler(parser, begin_doctype);
    XML_SetXmlDeclHandler(parser, check_version);
    enum XML_Status status = XML_Parse(parser, (const char *)body.data, (int)body.size, XML_TRUE);
    enum XML_Error error = XML_GetErrorCode(parser);
    long at = (long)XML_GetCurrentByteIndex(parser);
    XML_ParserFree(parser);
    for (uint32_t i = 0; i < SCAN_DEPTH_MAX; i++)
        free(question.frames[i].text);

    /* The scanner takes any character from U+0080 on for one of names and of text; expat does not.
     */
    bool is_high = error == XML_ERROR_INVALID_TOKEN && at >= 0 && (size_t)at < body.size &&
                   body.data[at] >= 0x80 && bytes_is_utf8(body);
    if (question.silent || is_high || error == XML_ERROR_UNKNOWN_ENCODING ||
        error == XML_ERROR_INCORRECT_ENCODING)
        return oracle_say(oracle, ORACLE_SILENT, "not for expat to judge");
    if (status == XML_STATUS_OK)
        return ORACLE_GOOD;
    return oracle_say(oracle, ORACLE_BROKEN, "expat: %s at byte %ld", XML_ErrorString(error), at);
}

static void stay_silent(struct question *question)
{
    question->silent = true;
    XML_StopParser(question->parser, XML_FALSE);
}

/* Expat takes the version numbers of the fourth edition: letters and `..` are in them. */
static void begin_document(void *data, const XML_Char *version, const XML_Char *encoding,
                           int standalone)
{
    (void)encoding;
    (void)standalone;
    if (version != NULL &&
        (strncmp(version, "1.", 2) != 0 || version[2 + strspn(version + 2, "0123456789")] != '\0'))
        stay_silent(data);
}

static struct bytes local_name(const XML_Char *name)
{
    const char *separator = strrchr(name, SEPARATOR);
    return bytes_from_text(separator == NULL ? name : separator + 1);
}

static void begin_element(void *data, const XML_Char *name, const XML_Char **attributes)
{
    struct question *question = data;
    struct oracle *oracle = question->oracle;
    const struct plan *plan = question->plan;
    struct bytes local = local_name(name);
    if (question->depth == SCAN_DEPTH_MAX) {
        stay_silent(question);
        return;
    }
    const struct frame *outer =
        question->depth == 0 ? NULL : &question->frames[question->depth - 1];
    struct frame *frame = &question->frames[question->depth++];
    frame->size = 0;
    frame->node = outer == NULL ? oracle_root(plan) : oracle_child(plan, outer->node, local, false);
    frame->begins_entry = oracle_begins_entry(plan, frame->node, question->open_entry);
    if (frame->begins_entry)
        question->open_entry = ++oracle->entry_count;
    frame->entry = question->open_entry;
    if (outer == NULL && plan->root_name_tapped)
        oracle_note(oracle, plan->root_name_tap, 0, local, false);
    for (; attributes[0] != NULL; attributes += 2) {
        uint16_t node = oracle_child(plan, frame->node, local_name(attributes[0]), true);
        oracle_note(oracle, oracle_tap(plan, node), frame->entry, bytes_from_text(attributes[1]),
                    false);
    }
}

static void end_element(void *data, const XML_Char *name)
{
    struct question *question = data;
    struct frame *frame = &question->frames[--question->depth];
    (void)name;
    oracle_note(question->oracle, oracle_tap(question->plan, frame->node), frame->entry,
                bytes_make(frame->text, frame->size), false);
    if (frame->begins_entry)
        question->open_entry = 0;
}

static void add_text(void *data, const XML_Char *text, int size)
{
    struct question *question = data;
    struct frame *frame = &question->frames[question->depth - 1];
    size_t needed = frame->size + (size_t)size;
    if (oracle_tap(question->plan, frame->node) == TAP_NONE)
        return;
    if (needed > frame->capacity) {
        frame->capacity = 2 * needed;
        frame->text = realloc(frame->text, frame->capacity);
        if (frame->text == NULL)
            abort();
    }
    memcpy(frame->text + frame->size, text, (size_t)size);
    frame->size = needed;
}

/* XML 1.0, 2.8: expat takes any version. */
static void check_version(void *data, const XML_Char *version, const XML_Char *encoding,
                          int standalone)
{
    (void)encoding, (void)standalone;
    if (version == NULL || strncmp(version, "1.", 2) != 0 || version[2] == '\0' ||
        version[2 + strspn(version + 2, "0123456789")] != '\0')
        stay_silent(data);
}

/* What a document type declares is not read by the scanner, which refuses it. */
static void begin_doctype(void *data, const XML_Char *name, const XML_Char *system_id,
                          const XML_Char *public_id, int has_internal_subset)
{
    (void)name, (void)system_id, (void)public_id, (void)has_internal_subset;
    stay_silent(data);
}
