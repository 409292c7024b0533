/* scan_xml over anything; a peek agrees with what the scan finds, and so does expat. */
#include "routes/scan/charset.h"
#include "tests/fuzz/oracle_check.h"
#include "tests/fuzz/scan_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct charsets *charsets;
    if (charsets == NULL)
        charsets = charsets_open();
    uint8_t *body;
    const struct scan_check *check = check_scan(scan_xml, charsets, data, size, &body);
    scan_check_plan.format = FORMAT_XML;
    check_against_oracle(&scan_check_plan, bytes_make(body, size), 0, check->status, &check->fault,
                         &check->scan);

    struct xml_peek peek;
    struct scan_fault fault;
    enum status status = scan_xml_peek(bytes_make(body, size), &peek, &fault);
    if (check->status == STATUS_OK) {
        const struct capture *root = &check->captures[0];
        require(status == STATUS_OK, "a peek into a good document is good");
        require(check->scan.capture_count > 0 && root->tap == 0, "the root's name is captured");
        require(!bytes_is_utf8(peek.root) || bytes_equal(root->value, peek.root),
                "scan and peek find one root");
    } else if (status == STATUS_INVALID && check->status == STATUS_INVALID) {
        require(fault.offset <= size, "a peek's offset");
    }
    free(body);
    return 0;
}
