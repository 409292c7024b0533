#include "io/config/config_build.h"
#include "io/loop/loop_features.h"

struct kernel_option {
    const char *name, *needs;
    size_t offset; /* in struct options */
    enum loop_feature feature;
};

static const struct kernel_option kernel_options[] = {
#define X(feature, wish, needs)                                                                    \
    {#wish, needs, offsetof(struct options, wish), LOOP_FEATURE_##feature},
    LOOP_FEATURE_LIST(X)
#undef X
};
enum { KERNEL_OPTIONS = sizeof kernel_options / sizeof *kernel_options };

static bool is_wished_for(const struct config_build *build, const struct kernel_option *row)
{
    const struct option_row option = {.offset = row->offset};
    return option_get(&build->config->options, &option) != 0;
}

void config_check_kernel(struct config_build *build)
{
    bool any = false;
    for (size_t i = 0; i < KERNEL_OPTIONS; i++)
        any = any || is_wished_for(build, &kernel_options[i]);
    if (!any)
        return;
    uint32_t features = loop_features_of_kernel();
    for (size_t i = 0; i < KERNEL_OPTIONS; i++) {
        const struct kernel_option *row = &kernel_options[i];
        if (is_wished_for(build, row) && (features & 1U << row->feature) == 0)
            config_warn(build, yaml_member(build->root, row->name), "C113",
                        "docs/tuning.md says what it is worth",
                        "`%s` is not to be had here, it needs %s: the server does without",
                        row->name, row->needs);
    }
}
