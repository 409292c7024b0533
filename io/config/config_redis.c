/* `state: redis` and `redis`: where a copy of what is known of minutes goes. */
#include "io/config/config_build.h"
#include "io/net/listener.h"

enum { REDIS_DATABASE_MAX = 65535, REDIS_PREFIX_BYTES_MAX = 64 };

static const char *const names[] = {"address",  "password_file", "username",
                                    "database", "prefix",        NULL};

/* In the arena that stays when the generation goes. */
static const char *keep(struct config_build *build, struct bytes text)
{
    return arena_copy_text(&build->config->arena, text);
}

static void read_address(struct config_build *build, const struct yaml_node *mapping,
                         struct config_redis *redis)
{
    const struct yaml_node *node = yaml_member(mapping, "address");
    struct bytes text;
    struct address address;
    char problem[256];
    if (node == NULL) {
        config_error(build, mapping, "C104", "address: 127.0.0.1:6379, or unix:/run/redis.sock",
                     "redis has no address");
        return;
    }
    if (!config_text(build, node, &text))
        return;
    redis->address = keep(build, text);
    if (address_parse(redis->address, &address, problem, sizeof problem) != STATUS_OK)
        config_error(build, node, "C111", "address: 127.0.0.1:6379, or unix:/run/redis.sock", "%s",
                     problem);
}

static void read_password(struct config_build *build, const struct yaml_node *mapping,
                          struct config_redis *redis)
{
    const struct yaml_node *node = yaml_member(mapping, "password_file");
    const char *path;
    struct bytes content;
    mode_t mode;
    if (node == NULL || build->source->without_secrets ||
        !config_secret_file(build, node, &path, &content, &mode))
        return;
    redis->password = bytes_from_text(keep(build, bytes_trim(content)));
    if (redis->password.size == 0)
        config_error(build, node, "C108", NULL, "the password in %s is empty", path);
    if ((mode & 07) != 0)
        config_warn(build, node, "C108", "chmod 600 it", "everybody on this machine can use %s",
                    path);
}

static void read_rest(struct config_build *build, const struct yaml_node *mapping,
                      struct config_redis *redis)
{
    struct bytes text;
    const struct yaml_node *node = yaml_member(mapping, "username");
    if (node != NULL && config_text(build, node, &text))
        redis->username = keep(build, text);
    if (redis->username != NULL && yaml_member(mapping, "password_file") == NULL)
        config_error(build, node, "C104", "add `password_file: PATH`",
                     "a username without a password");
    node = yaml_member(mapping, "database");
    if (node != NULL && config_text(build, node, &text) &&
        (!bytes_parse_u64(text, &redis->database) || redis->database > REDIS_DATABASE_MAX))
        config_error(build, node, "C104", NULL, "database is a number from 0 to %d",
                     REDIS_DATABASE_MAX);
    node = yaml_member(mapping, "prefix");
    if (node == NULL || !config_text(build, node, &text))
        return;
    redis->prefix = keep(build, text);
    if (text.size > REDIS_PREFIX_BYTES_MAX)
        config_error(build, node, "C104", NULL, "prefix has up to %d bytes",
                     REDIS_PREFIX_BYTES_MAX);
}

void config_read_redis(struct config_build *build)
{
    const struct yaml_node *state = yaml_member(build->root, "state");
    const struct yaml_node *mapping = yaml_member(build->root, "redis");
    struct bytes text = BYTES_LITERAL("memory");
    if (state != NULL && !config_text(build, state, &text))
        return;
    bool is_redis = bytes_equal_text(text, "redis");
    if (!is_redis && !bytes_equal_text(text, "memory"))
        config_error(build, state, "C104", "memory, or redis: a copy goes there, too",
                     "`%.*s` is no `state`", (int)text.size, (const char *)text.data);
    else if (is_redis && (mapping == NULL || mapping->kind != YAML_MAPPING))
        config_error(build, state, "C104", "redis: {address: 127.0.0.1:6379}",
                     "`state: redis` wants a `redis` that says where it is");
    if (mapping == NULL || mapping->kind != YAML_MAPPING)
        return;
    if (!is_redis)
        config_warn(build, mapping, "C104", "add `state: redis`, or leave it out",
                    "redis does nothing without `state: redis`");
    struct config_redis *redis = arena_allocate(&build->config->arena, sizeof *redis);
    *redis = (struct config_redis){.prefix = "kouan:"};
    config_check_names(build, mapping, names);
    read_address(build, mapping, redis);
    read_password(build, mapping, redis);
    read_rest(build, mapping, redis);
    if (is_redis && build->config->options.stats_span == 0)
        config_warn(build, state, "C110", "raise `stats_span`",
                    "`state: redis` has nothing to write: `stats_span` is 0");
    build->config->redis = is_redis ? redis : NULL;
}
