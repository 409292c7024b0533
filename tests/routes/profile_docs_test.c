/* The reference pages say what is: their examples are read, their tables are complete. */
#include "profile_fixture.h"
#include "routes/yaml.h"

static char *load_page(const char *path)
{
    struct bytes page = fixture_load(path);
    cr_assert_not_null(page.data, "%s: run the tests from the top folder", path);
    char *text = strndup((const char *)page.data, page.size);
    free((void *)page.data);
    return text;
}

/* The first fenced block that begins with `start`. */
static char *find_block(const char *page, const char *fence, const char *start)
{
    char opening[128];
    snprintf(opening, sizeof opening, "```%s\n%s", fence, start);
    const char *at = strstr(page, opening);
    cr_assert_not_null(at, "no block %s", opening);
    at = strchr(at, '\n') + 1;
    return strndup(at, (size_t)(strstr(at, "\n```") + 1 - at));
}

Test(profile_docs, first_profile)
{
    char *page = load_page("docs/profiles.md");
    char *yaml = find_block(page, "yaml", "profile: nansha-arrival");
    char *body = find_block(page, "xml", "<?xml");
    struct profile_fixture *fixture = fixture_open();
    fixture_profile(fixture, yaml);
    cr_expect_str_eq(
        fixture_read(fixture, body),
        "nansha-arrival 2: message_type=NS-ARRIVAL | message_id=NS-2024-000317 | sender=NSWH07 | "
        "function=original | customs_office=5165 | trader=4401362N01 | bill@1=COSU6371204410 | "
        "bill@2=COSU6371204455 | container@1=CSNU6231870 | container@1=CSNU6231885");
    fixture_close(fixture);
    free(yaml);
    free(body);
    free(page);
}

/* The first profile's message inside of the envelope that the page shows. */
Test(profile_docs, messages_inside)
{
    static const char inside[] =
        "PHc6QXJyaXZhbFJlcG9ydCB4bWxuczp3PSJ1cm46bmFuc2hhOndhcmVob3VzZToyIj4"
        "8dzpQbGFjZSBvZmZpY2U9IjUxNjUiLz48L3c6QXJyaXZhbFJlcG9ydD4=";
    char *page = load_page("docs/profiles.md"), body[512];
    char *yaml[] = {find_block(page, "yaml", "profile: nansha-arrival"),
                    find_block(page, "yaml", "profile: nansha-envelope")};
    struct profile_fixture *fixture = fixture_open();
    for (int i = 0; i < 2; i++)
        fixture_parse(fixture, yaml[i]);
    fixture_build(fixture);
    cr_assert_str_empty(fixture_diagnostics(fixture));
    snprintf(body, sizeof body, "<Envelope><Kind>NS</Kind><Id>1</Id><Data>%s</Data></Envelope>",
             inside);
    cr_expect_str_eq(fixture_read(fixture, body),
                     "nansha-envelope 1: message_type=NS | message_id=1 | customs_office=5165 | "
                     "payload_profile=nansha-arrival");
    fixture_close(fixture);
    free(yaml[0]);
    free(yaml[1]);
    free(page);
}

Test(profile_docs, first_event)
{
    char *page = load_page("docs/json-event.md");
    char *body = find_block(page, "json", "{");
    struct profile_fixture *fixture = fixture_open_shipped();
    cr_expect_str_eq(
        fixture_read(fixture, body),
        "event 1: message_type=ORDER | message_id=HL-2024-06-12-000417 | function=original | "
        "sender=4403180896 | receiver=5300 | receiver=442300 | customs_office=5345 | port=CNSZX | "
        "port=HKHKG | trade_mode=9610 | goods_code=8517130000 | goods_code=8504409999 | "
        "sent_at=2024-06-12T10:30:00+08:00 | order@0=HL000417+440366T001 | "
        "waybill@0=KY8800120017 | waybill@0=KY8800120018");
    fixture_close(fixture);
    free(body);
    free(page);
}

static void expect_mentioned(const char *page, const char *name, const char *where)
{
    char quoted[128];
    snprintf(quoted, sizeof quoted, "`%s`", name);
    cr_expect_not_null(strstr(page, quoted), "%s does not mention %s", where, quoted);
}

Test(profile_docs, every_name_is_there)
{
    char *profiles = load_page("docs/profiles.md");
    char *event = load_page("docs/json-event.md");
    for (unsigned i = 0; i < SLOT_COUNT; i++) {
        enum slot slot = (enum slot)i;
        expect_mentioned(profiles, slot_name(slot), "docs/profiles.md");
        if (slot_json_name(slot) != NULL)
            expect_mentioned(event, slot_json_name(slot), "docs/json-event.md");
        if (slot_is_key(slot))
            expect_mentioned(event, slot_name(slot), "docs/json-event.md");
    }
    for (const struct diagnostic_code *code = profile_codes; code->code != NULL; code++) {
        char row[128];
        snprintf(row, sizeof row, "| %s | %s%s |", code->code,
                 strcmp(code->code, "P112") == 0 ? "warning: " : "", code->title);
        cr_expect_not_null(strstr(profiles, row), "docs/profiles.md lacks %s", row);
    }
    free(profiles);
    free(event);
}

Test(profile_docs, every_shipped_profile_is_there)
{
    char *page = load_page("docs/profiles.md");
    struct profile_fixture *fixture = fixture_open_shipped();
    for (uint16_t i = 0; i < fixture->list.count; i++) {
        const char *name = fixture->list.items[i]->name;
        size_t size = strlen(name);
        bool ceb_receipt =
            strncmp(name, "ceb-", 4) == 0 && size > 8 && strcmp(name + size - 8, "-receipt") == 0;
        expect_mentioned(page, ceb_receipt ? "ceb-*-receipt" : name, "docs/profiles.md");
    }
    fixture_close(fixture);
    free(page);
}

Test(profile_docs, every_bound_is_true)
{
    static const struct {
        unsigned bound;
        const char *what;
    } bounds[] = {
        {PROFILES_MAX, "profiles"},
        {RECOGNISE_MEMBERS_MAX, "members in `has`"},
        {RECOGNISE_CONDITIONS_MAX, "conditions in `where`"},
        {PROFILE_SPECS_MAX, "values"},
        {PLAN_TAPS_MAX, "different places"},
        {PROFILE_FILTERS_MAX, "predicates"},
        {PROFILE_ALIASES_MAX, "paths in a list"},
        {PROFILE_PARTS_MAX, "parts in a join"},
        {PROFILE_CONTENT_MAX, "content paths"},
        {YAML_CHILDREN_MAX, "rows in a map"},
        {READING_ENTRIES_DEFAULT, "entries (`entries_max`"},
        {SCAN_CAPTURES_MAX, "values at the places that its profile names"},
        {READING_VALUE_BYTES_MAX, "bytes a value"},
        {SCAN_DEPTH_MAX, "levels of nesting"},
    };
    char *page = load_page("docs/profiles.md");
    char *section = strstr(page, "\n## Bounds\n");
    cr_assert_not_null(section);
    for (char *at = section; *at != '\0'; at++)
        if (*at == '\n')
            *at = ' ';
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, " %u %s", bounds[i].bound, bounds[i].what);
        cr_expect_not_null(strstr(section, text), "docs/profiles.md lacks%s", text);
    }
    free(page);
}
