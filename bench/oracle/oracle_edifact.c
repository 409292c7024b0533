/* EDIFACT, split in the plainest way: byte by byte into segments, these into elements, repetitions
 * and components, each time with an eye on the release character. ISO 9735, syntax 1 to 4. */
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/oracle/oracle_parts.h"

enum { SEPARATOR_NONE = 256 };

struct syntax {
    unsigned component, element, terminator, release, repetition; /* or SEPARATOR_NONE */
};

struct question {
    struct oracle *oracle;
    const struct plan *plan;
    struct syntax syntax;
    struct bytes rest;    /* of the body */
    struct bytes charset; /* UNB 0001 of the interchange */
    uint32_t message;     /* the one that is asked about, from 0 */
    uint32_t begun;       /* messages so far */
    bool in_interchange, in_group, in_message;
    bool behind_message; /* or behind its packages: a further one may come */
    bool behind_object;
    bool ended;                      /* the last was UNT, UNE or UNZ; whether a UNZ comes or not */
    struct bytes interchange, group; /* the UNB and UNG around what is read */
    uint32_t entry;
    uint32_t begun_before; /* the group */
    bool advised;          /* by a UNA */
    bool newly_advised;    /* and no UNB came since */
    bool by_lines;         /* the body's end ends a segment as well */
    bool marked;           /* as UTF-8, by a byte order mark */
    bool silent;
};

static enum oracle_verdict walk(struct question *question);
static bool take_segment(struct question *question, struct bytes segment);

enum oracle_verdict oracle_ask_edifact(struct oracle *oracle, const struct plan *plan,
                                       struct bytes body, uint32_t message)
{
    struct question question = {.oracle = oracle,
                                .plan = plan,
                                .syntax = {':', '+', '\'', '?', SEPARATOR_NONE},
                                .rest = body,
                                .message = message};
    if (bytes_start_with(body, BYTES_LITERAL("\xEF\xBB\xBF"))) {
        question.rest = bytes_slice(body, 3, body.size);
        question.marked = true;
    }
    enum oracle_verdict verdict = walk(&question);
    if (verdict == ORACLE_GOOD && question.silent)
        return oracle_say(oracle, ORACLE_SILENT, "a character set or a group without messages");
    return verdict;
}

/* ---- Cutting --------------------------------------------------------------------------------- */

/* What stands before the first `separator` that is not released; the rest is what stands behind it,
 * absent if there is none. */
static struct bytes cut(const struct syntax *syntax, unsigned separator, struct bytes *rest)
{
    struct bytes text = *rest;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == syntax->release) {
            i++;
        } else if (text.data[i] == separator) {
            *rest = bytes_make(text.data + i + 1, text.size - i - 1);
            return bytes_make(text.data, i);
        }
    }
    *rest = (struct bytes){NULL, 0};
    return text;
}

/* Piece `number`, from 1; absent if there are fewer. */
static struct bytes piece(const struct syntax *syntax, unsigned separator, struct bytes text,
                          unsigned number)
{
    struct bytes found = {NULL, 0};
    for (; number > 0 && text.data != NULL; number--)
        found = cut(syntax, separator, &text);
    return number == 0 ? found : (struct bytes){NULL, 0};
}

static struct bytes unreleased(struct question *question, struct bytes text)
{
    uint8_t *out = arena_allocate(&question->oracle->arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == question->syntax.release && ++i == text.size)
            break;
        out[size++] = text.data[i];
    }
    return bytes_trim(bytes_make(out, size));
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static void skip_blanks(struct question *question)
{
    struct bytes *rest = &question->rest;
    while (rest->size > 0 && is_blank(rest->data[0]) &&
           rest->data[0] != question->syntax.terminator)
        *rest = bytes_slice(*rest, 1, rest->size);
    while (rest->size > 0 && is_blank(rest->data[0]))
        *rest = bytes_slice(*rest, 1, rest->size);
}

/* ---- Segments -------------------------------------------------------------------------------- */

static unsigned unless_blank(uint8_t byte)
{
    return is_blank(byte) ? SEPARATOR_NONE : byte;
}

static bool is_alphanumeric(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z');
}

/* No service character stands twice, is a letter or a digit, or is no character at all; separators
 * are no blanks, and terminators no blanks within a line. */
static bool makes_sense(const uint8_t *advice)
{
    for (size_t i = 3; i < 9; i++) {
        if (advice[i] == 0 || advice[i] > 0x7F || is_alphanumeric(advice[i]))
            return false;
        bool line_end = advice[i] == '\n' || advice[i] == '\r';
        if (is_blank(advice[i]) && (i < 5 || (i == 8 && !line_end)))
            return false;
        for (size_t k = 3; k < i; k++)
            if (advice[k] == advice[i] && !is_blank(advice[i]))
                return false;
    }
    return true;
}

static enum oracle_verdict read_advice(struct question *question)
{
    const uint8_t *advice = question->rest.data;
    if (question->rest.size < 9)
        return oracle_say(question->oracle, ORACLE_BROKEN, "UNA is cut short");
    if (!makes_sense(advice))
        return oracle_say(question->oracle, ORACLE_BROKEN, "UNA makes no sense");
    question->syntax = (struct syntax){advice[3], advice[4], advice[8], unless_blank(advice[6]),
                                       unless_blank(advice[7])};
    question->advised = question->newly_advised = true;
    question->ended = false;
    question->rest = bytes_slice(question->rest, 9, question->rest.size);
    return ORACLE_GOOD;
}

static bool has_tag(struct bytes segment, const char *tag)
{
    return segment.size >= 3 && memcmp(segment.data, tag, 3) == 0;
}

static bool is_segment(const struct question *question, struct bytes segment)
{
    for (size_t i = 0; i < 3; i++) {
        bool letter = segment.size > i && segment.data[i] >= 'A' && segment.data[i] <= 'Z';
        bool digit = segment.size > i && segment.data[i] >= '0' && segment.data[i] <= '9';
        if (!letter && (!digit || i == 0))
            return false;
    }
    return segment.size == 3 || segment.data[3] == question->syntax.element ||
           segment.data[3] == question->syntax.component;
}

static bool is_segment_ahead(const struct question *question, size_t at)
{
    struct bytes rest = question->rest;
    while (at < rest.size && is_blank(rest.data[at]))
        at++;
    rest = bytes_slice(rest, at, rest.size);
    return rest.size > 3 && is_segment(question, rest);
}

/* True if a line end or a quotation mark comes before the usual terminator. */
static bool has_guessable(struct bytes text)
{
    for (size_t i = 0; i < text.size && text.data[i] != '\''; i++)
        if (text.data[i] == '\n' || text.data[i] == '\r' || text.data[i] == '"')
            return true;
    return false;
}

/* Without a UNA: whether the first segment ends by a line end or a quotation mark. */
static void guess_terminator(struct question *question)
{
    struct bytes rest = question->rest;
    bool level_b = rest.size > 3 && rest.data[3] == 0x1D;
    question->oracle->guessed |= !question->advised && (level_b || has_guessable(rest));
    for (size_t i = 0; i < rest.size && rest.data[i] != '\''; i++) {
        uint8_t byte = rest.data[i], behind = i + 1 < rest.size ? rest.data[i + 1] : 0;
        if (byte == '?') {
            i++;
        } else if (is_segment_ahead(question, i + 1)) {
            bool line_end = byte == '\n' || byte == '\r';
            bool quoted = byte == '"' && (is_blank(behind) || behind == 'U');
            if (!line_end && !quoted)
                continue;
            question->syntax.terminator = byte == '\r' && behind == '\n' ? '\n' : byte;
            question->by_lines = line_end;
            return;
        }
    }
}

/* Level B by the letter has separators that are no characters, and no release. */
static void take_level_b(struct question *question)
{
    if (!bytes_start_with(question->rest, BYTES_LITERAL("UNB\x1D")))
        return;
    question->syntax = (struct syntax){0x1F, 0x1D, 0x1C, SEPARATOR_NONE, SEPARATOR_NONE};
    question->by_lines = false;
}

/* Behind a UNO: the object, of as many bytes as element 4 says. */
static bool skip_object(struct question *question, struct bytes uno)
{
    const struct syntax *syntax = &question->syntax;
    struct bytes status = piece(syntax, syntax->element, uno, 5);
    struct bytes size_text = piece(syntax, syntax->component, status, 1);
    struct bytes before_text = piece(syntax, syntax->component, status, 2);
    uint64_t size, before = 0;
    if (!bytes_parse_u64(bytes_trim(size_text), &size))
        return false;
    if (bytes_trim(before_text).size > 0 && !bytes_parse_u64(bytes_trim(before_text), &before))
        return false;
    for (; before > 0 && question->rest.data != NULL; before--)
        cut(syntax, syntax->terminator, &question->rest);
    if (question->rest.size < size)
        return false;
    question->rest = bytes_slice(question->rest, (size_t)size, question->rest.size);
    question->behind_object = true;
    return has_tag(question->rest, "UNP");
}

static enum oracle_verdict walk(struct question *question)
{
    struct oracle *oracle = question->oracle;
    for (bool first = true;; first = false) {
        skip_blanks(question);
        if (question->rest.size == 0)
            break;
        bool between = question->ended && !question->in_interchange;
        if (between && bytes_start_with(question->rest, BYTES_LITERAL("\xEF\xBB\xBF"))) {
            question->rest = bytes_slice(question->rest, 3, question->rest.size);
            question->newly_advised = false; /* files put together: what follows may be its own */
            question->oracle->guessed = true;
            continue;
        }
        if ((first || between) && has_tag(question->rest, "UNA")) {
            if (read_advice(question) != ORACLE_GOOD)
                return ORACLE_BROKEN;
            continue;
        }
        if (first) {
            guess_terminator(question);
            take_level_b(question);
        }
        if (between && has_tag(question->rest, "UNB") && question->begun > 0 &&
            !question->newly_advised)
            return oracle_say(oracle, ORACLE_SILENT, "a UNB behind another, without its own UNA");
        struct bytes segment = cut(&question->syntax, question->syntax.terminator, &question->rest);
        if (question->rest.data == NULL && !question->by_lines)
            return oracle_say(oracle, ORACLE_BROKEN, "a segment has no end");
        if (!is_segment(question, segment))
            return oracle_say(oracle, ORACLE_BROKEN, "no segment: %.*s",
                              (int)(segment.size < 40 ? segment.size : 40),
                              (const char *)segment.data);
        if (!take_segment(question, segment))
            return oracle_say(oracle, ORACLE_BROKEN, "%.3s is not expected here",
                              (const char *)segment.data);
        if (has_tag(segment, "UNO") && !skip_object(question, segment))
            return oracle_say(oracle, ORACLE_BROKEN, "no UNP behind the object");
    }
    if (!question->ended || question->begun <= question->message)
        return oracle_say(oracle, ORACLE_BROKEN, "the interchange has no end, or no message");
    return ORACLE_GOOD;
}

/* ---- Values ---------------------------------------------------------------------------------- */

/* A value in UTF-8; absent if the set is not one that everybody reads alike. */
static struct bytes decoded(struct question *question, struct bytes value)
{
    static const char *const sets[] = {['C' - 'A'] = "ISO-8859-1",
                                       "ISO-8859-2",
                                       "ISO-8859-5",
                                       "ISO-8859-7",
                                       "ISO-8859-3",
                                       "ISO-8859-4",
                                       "ISO-8859-6",
                                       "ISO-8859-8",
                                       "ISO-8859-9"};
    bool high = false;
    for (size_t i = 0; i < value.size; i++)
        high |= value.data[i] > 0x7F;
    if (!high)
        return value;
    if (question->marked && bytes_is_utf8(value))
        return value;
    struct bytes charset = question->marked ? (struct bytes){NULL, 0} : question->charset;
    unsigned letter = charset.size == 4 ? charset.data[3] - 'A' : 0;
    if (charset.size != 4 || memcmp(charset.data, "UNO", 3) != 0 || letter < 2 || letter > 10) {
        question->silent = true;
        return (struct bytes){NULL, 0};
    }
    size_t room = 3 * value.size, capacity = room, from = value.size;
    char *out = arena_allocate(&question->oracle->arena, room), *to = out,
         *in = (char *)(uintptr_t)value.data;
    iconv_t converter = iconv_open("UTF-8", sets[letter]);
    bool good = converter != (iconv_t)-1 && iconv(converter, &in, &from, &to, &room) == 0;
    if (converter != (iconv_t)-1)
        iconv_close(converter);
    question->silent |= !good;
    return bytes_make(out, capacity - room);
}

static bool equals_qualifier(struct question *question, struct bytes composite, unsigned component,
                             struct bytes qualifier)
{
    struct bytes raw = piece(&question->syntax, question->syntax.component, composite, component);
    return bytes_equal(unreleased(question, raw), qualifier);
}

static void take_row(struct question *question, const struct plan_component *row,
                     struct bytes segment)
{
    const struct syntax *syntax = &question->syntax;
    struct bytes element = piece(syntax, syntax->element, segment, row->element + 1U);
    bool within = row->qualifier_element == row->element;
    if (row->qualifier_element != 0 && !within) {
        struct bytes other = piece(syntax, syntax->element, segment, row->qualifier_element + 1U);
        if (!equals_qualifier(question, piece(syntax, syntax->repetition, other, 1),
                              row->qualifier_component, row->qualifier))
            return;
    }
    while (element.data != NULL) {
        struct bytes composite = cut(syntax, syntax->repetition, &element);
        if (within &&
            !equals_qualifier(question, composite, row->qualifier_component, row->qualifier))
            continue;
        struct bytes raw = piece(syntax, syntax->component, composite, row->component);
        oracle_note(question->oracle, row->tap, question->entry,
                    decoded(question, unreleased(question, raw)), false);
    }
}

static void take_values(struct question *question, struct bytes segment)
{
    const struct plan *plan = question->plan;
    for (uint16_t i = 0; i < plan->component_count; i++)
        if (segment.data != NULL && memcmp(plan->components[i].tag, segment.data, 3) == 0)
            take_row(question, &plan->components[i], segment);
}

/* ---- The envelope ---------------------------------------------------------------------------- */

static bool begin_interchange(struct question *question, struct bytes segment)
{
    const struct syntax *syntax = &question->syntax;
    struct bytes identifier = piece(syntax, syntax->element, segment, 2);
    question->charset = unreleased(question, piece(syntax, syntax->component, identifier, 1));
    struct bytes version = unreleased(question, piece(syntax, syntax->component, identifier, 2));
    question->newly_advised = false;
    if (bytes_equal_text(version, "4") && !question->advised)
        question->syntax.repetition = '*';
    bool expected = !question->in_interchange && !question->in_message;
    question->in_interchange = true;
    question->ended = false;
    question->interchange = segment;
    return expected;
}

static bool is_asked(const struct question *question)
{
    return question->begun == question->message + 1;
}

static bool begin_message(struct question *question, struct bytes segment)
{
    bool expected = !question->in_message;
    question->in_message = true;
    question->ended = false;
    question->begun++;
    if (is_asked(question)) {
        take_values(question, question->interchange);
        take_values(question, question->group);
        take_values(question, segment);
    }
    return expected;
}

static bool end_message(struct question *question, struct bytes segment)
{
    bool expected = question->in_message;
    question->entry = 0;
    if (is_asked(question))
        take_values(question, segment);
    question->in_message = false;
    question->ended = true;
    return expected;
}

/* A UNP stands right behind its object, which is passed over with the UNO. */
static bool take_package(struct question *question, struct bytes segment)
{
    bool expected = has_tag(segment, "UNO") ? question->behind_message : question->behind_object;
    question->behind_object = false;
    return expected;
}

/* False if the segment may not stand where it does. */
static bool take_segment(struct question *question, struct bytes segment)
{
    if (has_tag(segment, "UNO") || has_tag(segment, "UNP"))
        return take_package(question, segment);
    question->behind_message = has_tag(segment, "UNT");
    if (has_tag(segment, "UNB"))
        return begin_interchange(question, segment);
    if (has_tag(segment, "UNH"))
        return begin_message(question, segment);
    if (has_tag(segment, "UNT"))
        return end_message(question, segment);
    if (has_tag(segment, "UNG")) {
        bool expected = question->in_interchange && !question->in_group && !question->in_message;
        question->in_group = true;
        question->group = segment;
        question->begun_before = question->begun;
        question->ended = false;
        return expected;
    }
    if (has_tag(segment, "UNE")) {
        bool expected = question->in_group && !question->in_message;
        question->silent |= question->begun == question->begun_before; /* an empty group */
        question->in_group = false;
        question->ended = true;
        question->group = (struct bytes){NULL, 0};
        return expected;
    }
    if (has_tag(segment, "UNZ")) {
        bool expected = question->in_interchange && !question->in_group && !question->in_message &&
                        question->ended;
        question->in_interchange = false;
        question->interchange = (struct bytes){NULL, 0};
        question->charset = (struct bytes){NULL, 0};
        question->ended = true;
        return expected;
    }
    bool of_service = memcmp(segment.data, "UN", 2) == 0 && !has_tag(segment, "UNS");
    if (!question->in_message || of_service)
        return false;
    if (memcmp(segment.data, question->plan->entry_tag, 3) == 0 && is_asked(question))
        question->entry = ++question->oracle->entry_count;
    else if (has_tag(segment, "UNS"))
        question->entry = 0;
    if (is_asked(question))
        take_values(question, segment);
    return true;
}
