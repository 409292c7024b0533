#include "bench/load/findings.h"

#include <inttypes.h>
#include <stdarg.h>

const char *finding_text(enum finding finding)
{
    static const char *const texts[FINDING_COUNT] = {
#define X(name, text) text,
        FINDING_LIST(X)
#undef X
    };
    return texts[finding];
}

void findings_add(struct findings *findings, enum finding finding, uint32_t index,
                  const char *format, ...)
{
    findings->counts[finding]++;
    if (findings->sample_count == FINDINGS_SAMPLES_MAX)
        return;
    char detail[96];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    char *sample = findings->samples[findings->sample_count++];
    size_t size = sizeof findings->samples[0];
    if (index == DAY_NO_MESSAGE) {
        snprintf(sample, size, "a message %s (%s)", finding_text(finding), detail);
        return;
    }
    const struct day_message *message = &findings->day->messages[index];
    snprintf(sample, size, "message %" PRIu32 " (%s, %s, %s) %s (%s)", index,
             day_eport(message)->name, form_message_type((enum day_kind)message->kind),
             day_fate_name((enum day_fate)message->fate), finding_text(finding), detail);
}

uint64_t findings_count(const struct findings *findings)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < FINDING_COUNT; i++)
        count += findings->counts[i];
    return count;
}

void findings_print(const struct findings *findings, FILE *out)
{
    for (uint32_t i = 0; i < FINDING_COUNT; i++)
        if (findings->counts[i] != 0)
            fprintf(out, "  %10" PRIu64 "  %s\n", findings->counts[i],
                    finding_text((enum finding)i));
    for (uint32_t i = 0; i < findings->sample_count; i++)
        fprintf(out, "  e.g. %s\n", findings->samples[i]);
    if (findings_count(findings) > findings->sample_count)
        fprintf(out, "  ... and %" PRIu64 " more\n",
                findings_count(findings) - findings->sample_count);
}
