/* Configurations from texts, without files. */
#ifndef KOUAN_TESTS_IO_CONFIG_FILES_H
#define KOUAN_TESTS_IO_CONFIG_FILES_H

#include <criterion/criterion.h>

#include "io/config/config.h"

enum { CONFIG_FILES_MAX = 16 };

struct config_files {
    struct {
        const char *name, *text; /* NULL: free */
    } items[CONFIG_FILES_MAX];
};

/* In place of one of its name, or as one more. */
static inline void config_files_put(struct config_files *files, const char *name, const char *text)
{
    uint32_t i = 0;
    while (files->items[i].name != NULL && strcmp(files->items[i].name, name) != 0)
        i++;
    cr_assert_lt(i, CONFIG_FILES_MAX - 1);
    files->items[i].name = name;
    files->items[i].text = text;
}

static inline enum status config_files_read(void *context, struct arena *arena, const char *path,
                                            size_t bytes_max, struct bytes *out_content,
                                            mode_t *out_mode)
{
    const struct config_files *files = context;
    (void)bytes_max;
    for (uint32_t i = 0; files->items[i].name != NULL; i++)
        if (strcmp(files->items[i].name, path) == 0) {
            *out_content =
                bytes_from_text(arena_copy_text(arena, bytes_from_text(files->items[i].text)));
            if (out_mode != NULL)
                *out_mode = 0600;
            return STATUS_OK;
        }
    return STATUS_NOT_FOUND;
}

/* NULL with errors in `diagnostics`. */
static inline struct config *config_files_try(struct config_files *files,
                                              struct diagnostics *diagnostics)
{
    const struct config_source source = {
        .read = config_files_read, .context = files, .shipped = shipped_profiles};
    struct config *config = NULL;
    enum status status = config_load_from(&source, "kouan.yaml", &config, diagnostics);
    cr_assert_eq(status == STATUS_OK, config != NULL);
    return config;
}

static inline struct config *config_files_load(struct config_files *files)
{
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics);
    struct config *config = config_files_try(files, &diagnostics);
    if (config == NULL)
        diagnostics_print(&diagnostics, stderr);
    cr_assert_not_null(config);
    diagnostics_deinit(&diagnostics);
    return config;
}

#endif
