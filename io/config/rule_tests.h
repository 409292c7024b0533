/* Runs the examples that are kept beside the rule tables (routes/rules/rule_example.h): for `kouan
 * rules test`, and for every configuration that is loaded and names some, so that `check`, `serve`
 * and reload refuse tables that send an example elsewhere. */
#ifndef KOUAN_IO_RULE_TESTS_H
#define KOUAN_IO_RULE_TESTS_H

#include "io/config/config.h"

struct rule_tests {
    const struct config *config;
    const struct config_source *source; /* of the files */
    struct diagnostics *diagnostics;
    uint32_t passed, failed; /* examples */
};

/* The examples of one file; `place` is blamed if it cannot be read. What is wrong, and what turns
 * out otherwise, is reported. */
void rule_tests_run(struct rule_tests *tests, const char *path, struct place place);

#endif
