#include "routes/edifact/edifact_tally.h"

enum {
    UNB_REFERENCE = 5, /* numbers of elements */
    UNG_REFERENCE = 5,
    UNH_REFERENCE = 1,
    UNO_REFERENCE = 1,
    UNO_LENGTH = 4,
    TRAILER_COUNT = 1, /* UNT, UNE, UNZ and UNP alike */
    TRAILER_REFERENCE = 2
};

void edifact_tally_init(struct edifact_tally *tally, const struct edifact_part *part,
                        struct edifact_warning *out_warnings, uint32_t capacity)
{
    *tally = (struct edifact_tally){.part = part, .warnings = out_warnings, .capacity = capacity};
}

/* A trailer being held against its header. */
struct check {
    struct edifact_tally *tally;
    const struct edifact_syntax *syntax;
    struct bytes body, header, trailer;
};

static struct bytes element_of(const struct edifact_syntax *syntax, struct bytes segment,
                               uint32_t number);
static void check_count(const struct check *check, uint32_t expected, const char *what);
static void check_reference(const struct check *check, uint32_t element, const char *what);
static void check_length(const struct check *check);

static void add(struct edifact_tally *tally, struct edifact_warning warning);

void edifact_tally_take_end(struct edifact_tally *tally, const struct edifact_envelope *envelope)
{
    if (edifact_lacks_interchange_end(envelope->place))
        add(tally, (struct edifact_warning){.what = "the interchange has no UNZ",
                                            .offset = (uint32_t)envelope->body.size});
}

/* A message or a package: it counts in its group, and else in its interchange. */
static void count_unit(struct edifact_tally *tally)
{
    if (tally->group.data != NULL)
        tally->group_count++;
    else
        tally->interchange_count++;
}

void edifact_tally_take(struct edifact_tally *tally, const struct edifact_envelope *envelope)
{
    const struct edifact_part *part = tally->part;
    struct bytes segment = edifact_envelope_segment(envelope);
    struct check check = {tally, &envelope->syntax, envelope->body, {NULL, 0}, segment};
    switch (envelope->tag) {
    case EDIFACT_UNB:
        tally->interchange = segment;
        tally->interchange_count = 0;
        break;
    case EDIFACT_UNG:
        tally->group = segment;
        tally->group_count = 0;
        tally->interchange_count++;
        break;
    case EDIFACT_UNH:
        count_unit(tally);
        tally->message = segment;
        tally->message_number = envelope->number;
        break;
    case EDIFACT_UNO:
        count_unit(tally);
        tally->package = segment;
        break;
    case EDIFACT_UNP:
        check.header = tally->package;
        check_length(&check);
        check_reference(&check, UNO_REFERENCE, "UNP 0800 is not the reference of UNO");
        break;
    case EDIFACT_UNT:
        check.header = tally->message;
        check_count(&check, envelope->number - tally->message_number + 1,
                    "UNT 0074 is not the number of segments");
        check_reference(&check, UNH_REFERENCE, "UNT 0062 is not the reference of UNH");
        break;
    case EDIFACT_UNE:
        check.header = tally->group;
        check_count(&check, part != NULL ? part->group_count : tally->group_count,
                    "UNE 0060 is not the number of messages in the group");
        check_reference(&check, UNG_REFERENCE, "UNE 0048 is not the reference of UNG");
        tally->group = (struct bytes){NULL, 0};
        break;
    case EDIFACT_UNZ:
        check.header = tally->interchange;
        check_count(&check, part != NULL ? part->interchange_count : tally->interchange_count,
                    "UNZ 0036 is not the number of messages or groups");
        check_reference(&check, UNB_REFERENCE, "UNZ 0020 is not the reference of UNB");
        break;
    default: break;
    }
}

/* The raw bytes of element `number`, trimmed; absent if the segment has fewer. */
static struct bytes element_of(const struct edifact_syntax *syntax, struct bytes segment,
                               uint32_t number)
{
    struct bytes rest = segment, element = {NULL, 0};
    rest.size -= rest.size > 0 && rest.data[rest.size - 1] == syntax->terminator;
    for (uint32_t i = 0; i <= number; i++)
        element = edifact_syntax_cut(syntax, syntax->element, &rest);
    return element.data == NULL ? element : bytes_trim(element);
}

static void warn(const struct check *check, struct edifact_warning warning)
{
    const uint8_t *at = warning.found.data;
    if (at == NULL) /* it is not there: where the segment ends */
        at = check->trailer.data + check->trailer.size - 1;
    warning.offset = (uint32_t)(at - check->body.data);
    add(check->tally, warning);
}

static void add(struct edifact_tally *tally, struct edifact_warning warning)
{
    if (tally->count < tally->capacity)
        tally->warnings[tally->count] = warning;
    tally->count++;
}

static void check_count(const struct check *check, uint32_t expected, const char *what)
{
    struct bytes found = element_of(check->syntax, check->trailer, TRAILER_COUNT);
    uint64_t count;
    if (!bytes_parse_u64(found, &count) || count != expected)
        warn(check, (struct edifact_warning){
                        .what = what, .found = found, .counts = true, .expected_count = expected});
}

static bool is_same(const struct edifact_syntax *syntax, struct bytes a, struct bytes b);

static void check_reference(const struct check *check, uint32_t element, const char *what)
{
    struct bytes found = element_of(check->syntax, check->trailer, TRAILER_REFERENCE);
    struct bytes expected = element_of(check->syntax, check->header, element);
    if (!is_same(check->syntax, found, expected))
        warn(check, (struct edifact_warning){.what = what, .found = found, .expected = expected});
}

/* UNO's is the first component of its element, and stands for a number, as the scan has read it. */
static void check_length(const struct check *check)
{
    struct bytes status = element_of(check->syntax, check->header, UNO_LENGTH);
    struct bytes length =
        bytes_trim(edifact_syntax_cut(check->syntax, check->syntax->component, &status));
    uint64_t expected = 0;
    if (bytes_parse_u64(length, &expected))
        check_count(check, (uint32_t)expected, "UNP 0810 is not the length in UNO");
}

/* The same text, whatever is released in it. */
static bool is_same(const struct edifact_syntax *syntax, struct bytes a, struct bytes b)
{
    size_t i = 0, k = 0;
    for (;; i++, k++) {
        if (i < a.size && edifact_is_release(syntax, a.data[i]))
            i++;
        if (k < b.size && edifact_is_release(syntax, b.data[k]))
            k++;
        if (i >= a.size || k >= b.size)
            return i >= a.size && k >= b.size;
        if (a.data[i] != b.data[k])
            return false;
    }
}
