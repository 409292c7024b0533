#include "routes/dialect/profile_example.h"

#include "profile_fixture.h"

static const char profile[] = "profile: p\nfamily: f\nformat: json\nrecognise: { key: t }\n"
                              "entries: e\nfields: { message_type: t, port: e/p }\n"
                              "keys: { order: e/o, voyage: v }\n";

static const char body[] =
    "{\"t\":\"T\",\"v\":\"V\",\"e\":[{\"p\":\"A\",\"o\":[1,2]},{\"p\":\"B\"}]}";

/* What one example reports. */
static void expect(const char *text, const char *example_body, const char *expected)
{
    struct profile_fixture *fixture = fixture_open();
    fixture_profile(fixture, profile);
    const struct profile_example *example = profile_examples_parse(
        &fixture->arena, "e.yaml", bytes_from_text(text), &fixture->diagnostics);
    if (example != NULL) {
        struct reading reading;
        struct scan_fault fault;
        struct bytes copy = fixture_body(bytes_from_text(example_body), 0);
        enum status status =
            read_message(&fixture->set, NULL, &fixture->reader, copy, &reading, &fault);
        bool good = profile_example_check(example, &fixture->arena, status, &reading, &fault,
                                          &fixture->diagnostics);
        cr_expect_eq(good, fixture->diagnostics.error_count == 0);
        free((void *)copy.data);
    }
    cr_expect_str_eq(fixture_diagnostics(fixture), expected, "got %s", fixture->printed);
    fixture_close(fixture);
}

#define GOOD    "body: x\nprofile: p\nfields: { message_type: T, port: [A, B] }\nkeys: { voyage: V }\n"
#define ENTRIES "entries: [{ order: [1, 2] }, {}]\n"

Test(profile_example, what_is_so)
{
    expect(GOOD ENTRIES, body, "");
    expect("message: x.json\nrefused: UNKNOWNPROFILE\nat: 0\n", "{}", "");
    expect("body: '{'\nrefused: TRUNCATED expected a string\n", "{", "");
}

Test(profile_example, what_is_not_so)
{
    static const char *const cases[][2] = {
        {"body: x\nprofile: q\nfields: { message_type: T, port: [A, B] }\nkeys: { voyage: V "
         "}\n" ENTRIES,
         "e.yaml:2:10: error[P115]: the message is recognised by `p`\n"},
        {"body: x\nprofile: p\nfields: { message_type: U, port: B }\nkeys: { voyage: [V, W] "
         "}\n" ENTRIES,
         "e.yaml:3:25: error[P115]: `message_type` is T, not U\n"
         "e.yaml:3:34: error[P115]: `port` is A, B, not B\n"
         "e.yaml:4:17: error[P115]: `voyage` is V, not V, W\n"},
        {"body: x\nprofile: p\nfields:\n  sender: S\n" ENTRIES,
         "e.yaml:1:1: error[P115]: `voyage` is V, not nothing\n"
         "e.yaml:4:3: error[P115]: `message_type` is T, not nothing\n"
         "e.yaml:4:3: error[P115]: `port` is A, B, not nothing\n"
         "e.yaml:4:11: error[P115]: `sender` is absent, not S\n"},
        {GOOD "entries: [{ order: [2, 1] }, { order: 3 }]\n",
         "e.yaml:5:20: error[P115]: `order` is 1, 2, not 2, 1\n"
         "e.yaml:5:39: error[P115]: `order` is absent, not 3\n"},
        {GOOD "entries: [{ order: [1, 2] }]\n",
         "e.yaml:5:10: error[P115]: the message has 2 entries, not 1\n"},
        {GOOD, "e.yaml:1:1: error[P115]: the message has 2 entries, not 1\n"
               "e.yaml:1:1: error[P115]: `order` is 1, 2, not nothing\n"},
        {"body: x\nrefused: EMPTY\n", "e.yaml:2:10: error[P115]: profile `p` reads the message\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(cases[i][0], body, cases[i][1]);
    expect("body: x\nprofile: p\n", "{}",
           "e.yaml:1:1: error[P115]: the message is refused at byte 0: UNKNOWNPROFILE\n");
    expect("body: x\nrefused: UNKNOWNPROFILE\nat: 1\n", "{}",
           "e.yaml:3:5: error[P115]: it is refused at byte 0\n");
}

Test(profile_example, mistakes)
{
    static const char *const cases[][2] = {
        {"profile: p\n", "e.yaml:1:1: error[P103]: an example has either `message` or `body`\n"
                         "  hint: a file beside this one, or the message itself\n"},
        {"body: x\n", "e.yaml:1:1: error[P103]: an example has either `profile` or `refused`\n"
                      "  hint: as in `profile: ceb-order`\n"},
        {"body: x\nprofile: p\nkeys: { port: A }\n",
         "e.yaml:3:9: error[P106]: there is no kind of key `port`\n"},
        {"body: x\nprofile: p\nfields: { ports: A }\n",
         "e.yaml:3:11: error[P106]: there is no field `ports`\n"},
        {"body: x\nprofile: p\nentries: { order: A }\n",
         "e.yaml:3:10: error[P104]: expected a list, not a mapping\n"},
        {"body: x\nprofile: p\nfields: { port: { a: b } }\n",
         "e.yaml:3:17: error[P104]: expected a text, not a mapping\n"},
        {"body: x\nprofil: p\nrefused: EMPTY\n",
         "e.yaml:2:1: error[P102]: `profil` is not known here\n  hint: did you mean `profile`?\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(cases[i][0], body, cases[i][1]);
}
