#include "io/cli/explain_payload.h"

#include <stdio.h>

#include "io/cli/output.h"

enum { LABEL_COLUMNS = 14 };

static const char *fault_text(const struct scan_fault *fault)
{
    return fault->what != NULL ? fault->what : scan_reason_text(fault->reason);
}

void explain_print_payload_text(const struct reading *reading)
{
    const struct reading_payload *payload = &reading->payload;
    const struct profile *profile = payload->profile;
    if (reading->profile->open == NULL)
        return;
    printf("  %-*s", LABEL_COLUMNS, "payload");
    if (profile != NULL) {
        printf("%s  (%s)", profile->name, explain_format_name(profile->plan.format));
        if (payload->entry_count > 0)
            printf(", %u %s", payload->entry_count,
                   payload->entry_count == 1 ? "entry" : "entries");
    } else if (payload->fault.reason != SCAN_NONE) {
        printf("stays closed: %s at byte %u: %s", scan_reason_word(payload->fault.reason),
               payload->fault.offset, fault_text(&payload->fault));
    } else {
        putchar('-');
    }
    putchar('\n');
}

void explain_print_payload_json(const struct reading *reading)
{
    const struct reading_payload *payload = &reading->payload;
    const struct profile *profile = payload->profile;
    if (reading->profile->open == NULL)
        return;
    printf(",\n \"payload\":{\"opened\":%s", profile != NULL ? "true" : "false");
    if (profile != NULL) {
        fputs(",\"profile\":", stdout);
        output_json_text(stdout, profile->name);
        printf(",\"format\":\"%s\",\"entries\":%u", explain_format_name(profile->plan.format),
               payload->entry_count);
        if (payload->entry_count > 0)
            printf(",\"first_entry\":%u", payload->entry_first);
    } else if (payload->fault.reason != SCAN_NONE) {
        printf(",\"reason\":\"%s\",\"offset\":%u,\"what\":",
               scan_reason_word(payload->fault.reason), payload->fault.offset);
        output_json_text(stdout, fault_text(&payload->fault));
    }
    putchar('}');
}
