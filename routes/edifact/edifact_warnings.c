/* The warnings of a whole body, however many messages it has. */
#include "routes/edifact/edifact_tally.h"

enum status scan_edifact_warnings(struct bytes body, struct edifact_warning *out_warnings,
                                  uint32_t capacity, uint32_t *out_count,
                                  struct scan_fault *out_fault)
{
    struct edifact_envelope envelope;
    struct edifact_tally tally;
    edifact_tally_init(&tally, NULL, out_warnings, capacity);
    enum status status = edifact_envelope_open(&envelope, body, true, out_fault);
    while (status == STATUS_OK) {
        bool found = false;
        status = edifact_envelope_next(&envelope, &found, out_fault);
        if (status == STATUS_OK && !found) {
            edifact_tally_take_end(&tally, &envelope);
            *out_count = tally.count;
            return STATUS_OK;
        }
        if (status == STATUS_OK)
            status = edifact_envelope_end(&envelope, NULL, out_fault);
        if (status == STATUS_OK)
            edifact_tally_take(&tally, &envelope);
    }
    return status;
}
