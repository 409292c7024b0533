#include "routes/yaml.h"

#include "profile_fixture.h"

static const struct yaml_node *parse(struct profile_fixture *fixture, struct bytes text)
{
    return yaml_parse(&fixture->arena, "p.yaml", text, "P101", &fixture->diagnostics);
}

/* `{name@line:col=text@line:col ...}`, `[...]`, `~`. */
static void print_node(FILE *out, const struct yaml_node *node)
{
    if (node->name.data != NULL)
        fprintf(out, "%s@%u:%u=", node->name.data, node->name_line, node->name_column);
    bool mapping = node->kind == YAML_MAPPING;
    if (node->kind == YAML_EMPTY)
        fputs("~", out);
    else if (node->kind == YAML_TEXT)
        fprintf(out, "%s", node->text.data);
    else
        fputc(mapping ? '{' : '[', out);
    uint32_t count = 0;
    for (const struct yaml_node *child = node->first_child; child != NULL; child = child->next) {
        if (count++ > 0)
            fputc(' ', out);
        print_node(out, child);
    }
    cr_assert_eq(count, node->child_count);
    if (node->kind == YAML_LIST || mapping)
        fputc(mapping ? '}' : ']', out);
    else
        fprintf(out, "@%u:%u", node->line, node->column);
}

static void expect_tree(const char *text, const char *expected)
{
    struct profile_fixture *fixture = fixture_open();
    char *printed;
    size_t size;
    FILE *out = open_memstream(&printed, &size);
    for (const struct yaml_node *node = parse(fixture, bytes_from_text(text)); node != NULL;
         node = node->next) {
        print_node(out, node);
        fputc(';', out);
    }
    fclose(out);
    cr_expect_str_eq(printed, expected);
    cr_expect_str_empty(fixture_diagnostics(fixture));
    free(printed);
    fixture_close(fixture);
}

static void expect_error(struct bytes text, const char *expected)
{
    struct profile_fixture *fixture = fixture_open();
    parse(fixture, text);
    const char *printed = fixture_diagnostics(fixture);
    cr_expect_eq(fixture->diagnostics.error_count, 1, "%s", printed);
    cr_expect(strncmp(printed, expected, strlen(expected)) == 0, "expected `%s`, got `%s`",
              expected, printed);
    fixture_close(fixture);
}

Test(yaml, trees_with_places)
{
    expect_tree("a: 1\n", "{a@1:1=1@1:4};");
    expect_tree("\xEF\xBB\xBF"
                "a: 1\r\nb: no\r\n",
                "{a@1:1=1@1:4 b@2:1=no@2:4};");
    expect_tree("a: { b: [x, \"y z\", 'it''s'] }\n",
                "{a@1:1={b@1:6=[x@1:10 y z@1:14 it's@1:21]}};");
    expect_tree("海: 'it''s'\nb: '''''''''''''x'\n", "{海@1:1=it's@1:5 b@2:1=''''''x@2:5};");
    expect_tree("'''''': ''\nb: ['''', 'a\n b']\n", "{''@1:2=@1:10 b@2:1=['@2:6 a b@2:12]};");
    expect_tree("海关: 0110\nb:\n  - é: 港\n  -\n",
                "{海关@1:1=0110@1:5 b@2:1=[{é@3:5=港@3:8} ~@4:3]};");
    expect_tree("a: ~\nb: null\nc: \"\"\nd: 'null'\n",
                "{a@1:1=~@1:4 b@2:1=~@2:4 c@3:1=@3:5 d@4:1=null@4:5};");
    expect_tree("a: 1\n---\n- b\n---\nc\n", "{a@1:1=1@1:4};[b@3:3];c@5:1;");
    expect_tree("# nothing\n", "");
    expect_tree("", "");
    expect_tree("a: |\n  two\n  lines\n", "{a@1:1=two\nlines\n@2:1};");
}

Test(yaml, members)
{
    struct profile_fixture *fixture = fixture_open();
    const struct yaml_node *root = parse(fixture, BYTES_LITERAL("a: 1\nab: 2\n"));
    cr_assert(bytes_equal_text(yaml_member(root, "ab")->text, "2"));
    cr_assert_null(yaml_member(root, "b"));
    cr_assert_null(yaml_member(yaml_member(root, "a"), "a"));
    fixture_close(fixture);
}

Test(yaml, errors_have_places)
{
    expect_error(BYTES_LITERAL("a: 1\nb: @guid\n"), "p.yaml:2:4: error[P101]: ");
    expect_error(BYTES_LITERAL("a: 1\nb: [1, 2\nc: d\n"), "p.yaml:4:1: error[P101]: ");
    expect_error(BYTES_LITERAL("a: 1\nb: 2\na: 3\n"),
                 "p.yaml:3:1: error[P101]: this name appears twice");
    expect_error(BYTES_LITERAL("a: &x 1\n"), "p.yaml:1:7: error[P101]: aliases, anchors and tags");
    expect_error(BYTES_LITERAL("a: *x\n"), "p.yaml:1:5: error[P101]: aliases, anchors and tags");
    expect_error(BYTES_LITERAL("a: !!str x\n"), "p.yaml:1:10: error[P101]: aliases, anchors");
    expect_error(BYTES_LITERAL("[a]: 1\n"), "p.yaml:1:1: error[P101]: a name must be a text");
    expect_error(BYTES_LITERAL("a: 1\nb: \xC0\xAF\n"), "p.yaml:2: error[P101]: this line");
    expect_error(BYTES_LITERAL("a: \x01\n"), "p.yaml:1: error[P101]: this line");
    expect_error(BYTES_LITERAL("a: \"\\0\"\n"), "p.yaml:1:5: error[P101]: a NUL");
    expect_error(BYTES_LITERAL("a: 'it''s\n  two lines'\n"),
                 "p.yaml:1:5: error[P101]: a text of several lines");
    expect_error(BYTES_LITERAL("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]\n"),
                 "p.yaml:1:17: error[P101]: nested too deep");
}

Test(yaml, whole_documents_before_an_error_are_kept)
{
    struct profile_fixture *fixture = fixture_open();
    const struct yaml_node *root = parse(fixture, BYTES_LITERAL("a: 1\n---\nb: 2\nc: @\n"));
    cr_assert_not_null(root);
    cr_assert(bytes_equal_text(yaml_member(root, "a")->text, "1"));
    cr_assert_null(root->next);
    cr_assert_eq(fixture->diagnostics.error_count, 1);
    fixture_close(fixture);
}

Test(yaml, bounds)
{
    size_t size = YAML_SOURCE_BYTES_MAX + 1;
    char *text = malloc(size);
    memset(text, ' ', size);
    text[0] = '#';
    struct profile_fixture *fixture = fixture_open();
    cr_expect_null(parse(fixture, bytes_make(text, size - 1)));
    cr_expect_eq(fixture->diagnostics.error_count, 0);
    fixture_close(fixture);
    expect_error(bytes_make(text, size), "p.yaml: error[P101]: the file is larger than 256 KiB");
    for (size_t i = 0; i + 1 < size; i += 2)
        memcpy(text + i, i == 0 ? "- " : "-\n", 2);
    memcpy(text, "- ", 2);
    size_t items = (size_t)YAML_CHILDREN_MAX + 1;
    for (size_t i = 0; i < items; i++)
        memcpy(text + 4 * i, "- 1\n", 4);
    expect_error(bytes_make(text, 4 * items), "p.yaml:2049:3: error[P101]: there are too many");
    free(text);
}
