/* The canonical JSON event. `$filler$` makes an event as long as a comparison asks. */
#include "bench/day/form.h"

const struct form form_declaration = {
    .meaning = VARIANTS_FUNCTION,
    .variants = {"original", "change", "cancel"},
    .head = "{\"messageId\":\"$guid$\",\"messageType\":\"DECLARATION\",\"function\":\"$variant$\","
            "\"sender\":\"$code$\",\"receiver\":\"GDCUSTOMS\",\"customsOffice\":\"$office$\","
            "\"inspectionOffice\":\"$inspection$\",\"tradeMode\":\"$mode$\","
            "\"goodsCode\":[\"$goods$\"],\"trader\":\"$trader$\",\"keys\":{\"entry\":\"$entry$\","
            "\"order\":\"$order$\","
            "\"waybill\":\"$waybill$\"},\"sentAt\":\"$time_iso$\","
            "\"note\":\"\\u7b2c $serial$ \\u53f7\"}",
    .entry = "",
    .tail = "",
};

const struct form form_declstatus = {
    .meaning = VARIANTS_STATUS,
    .variants = {"2", "120", "800"},
    .head = "{\"messageType\":\"DECLSTATUS\",\"messageId\":\"$guid$\",\"sender\":\"$code$\","
            "\"customsOffice\":\"$office$\",\"tradeMode\":\"$mode$\",\"status\":\"$variant$\","
            "\"keys\":{\"entry\":\"$entry$\"},\"sentAt\":\"$time_iso$\",\"remark\":\"$filler$\"}",
    .entry = "",
    .tail = "",
};
