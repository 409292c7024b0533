/* UN/EDIFACT: the sea manifest (CUSCAR), declarations (CUSDEC) and the answers to them (CUSRES),
 * with default separators, one message an interchange. Function 1225: 9 original, 4 change, 1
 * cancel. */
#include "bench/day/form.h"

#define INTERCHANGE_START                                                                          \
    "UNA:+.? '\r\nUNB+UNOC:3+$station$:ZZ+GDCUSTOMS:ZZ+$time_edi$+$control$'\r\n"
#define INTERCHANGE_END "UNT+$segments$+1'\r\nUNZ+1+$control$'\r\n"

const struct form form_cuscar = {
    .meaning = VARIANTS_FUNCTION,
    .variants = {"9", "4", "1"},
    .entries_max = 8,
    .head = INTERCHANGE_START "UNH+1+CUSCAR:D:95B:UN'\r\n"
                              "BGM+85+$entry$+$variant$'\r\n"
                              "DTM+137:$time$:204'\r\n"
                              "NAD+MS+$code$:172'\r\n"
                              "TDT+20+V$trader$+1++$code$:172+++VRPL7:103::MV PEARL RIVER'\r\n"
                              "LOC+60+$locode$:139'\r\n"
                              "RFF+ACE:$serial$'\r\n",
    .entry = "CNI+$line$+$bill$'\r\n"
             "RFF+BM:$bill$'\r\n"
             "LOC+9+SGSIN:139'\r\n"
             "LOC+11+$locode$:139'\r\n"
             "NAD+CZ+++STRAITS TRADING PTE:12 HARBOUR ROAD:SINGAPORE'\r\n"
             "NAD+CN+$trader$++PEARL DELTA IMPORT CO LTD:GUANGZHOU'\r\n"
             "GID+1+$weight$:CT'\r\n"
             "FTX+AAA+++MILK POWDER IN TINS?, 900 G?: NET ?+ LID'\r\n"
             "MEA+AAE+G+KGM:$amount$'\r\n"
             "SGP+$container$'\r\n",
    .tail = INTERCHANGE_END,
};

const struct form form_cusdec = {
    .meaning = VARIANTS_FUNCTION,
    .variants = {"9", "4", "1"},
    .entries_max = 8,
    .head = INTERCHANGE_START "UNH+1+CUSDEC:D:96B:UN'\r\n"
                              "BGM+929+$entry$+$variant$'\r\n"
                              "LOC+22+$office$:164'\r\n"
                              "LOC+11+$locode$:139'\r\n"
                              "LOC+36+CN:162'\r\n"
                              "DTM+137:$time$:204'\r\n"
                              "RFF+ABE:$serial$'\r\n"
                              "TDT+12++1'\r\n"
                              "NAD+DT+$code$:172'\r\n"
                              "NAD+IM+$trader$:172'\r\n"
                              "MOA+39:$amount$:CNY'\r\n"
                              "UNS+D'\r\n",
    .entry = "CST+$line$+$goods$:122+$mode$:117'\r\n"
             "FTX+AAA+++FOOD PREPARATIONS?: INFANT FORMULA'\r\n"
             "LOC+27+NZ:162'\r\n"
             "MEA+AAR+AAB+KGM:$weight$'\r\n"
             "MOA+123:$amount$:CNY'\r\n",
    .tail = "UNS+S'\r\n" INTERCHANGE_END,
};

const struct form form_cusres = {
    .meaning = VARIANTS_STATUS,
    .variants = {"963", "964", "965"},
    .head =
        INTERCHANGE_START "UNH+1+CUSRES:D:96B:UN'\r\n"
                          "BGM+$variant$+$entry$+11'\r\n"
                          "DTM+137:$time$:204'\r\n"
                          "LOC+22+$office$:164'\r\n"
                          "RFF+ABT:$entry$'\r\n"
                          "RFF+ABO:$answered_control$'\r\n"
                          "FTX+AAO+++PROCESSED BY THE OFFICE OF DECLARATION'\r\n" INTERCHANGE_END,
    .entry = "",
    .tail = "",
};
