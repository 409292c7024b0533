/* UN/EDIFACT: the sea manifest (CUSCAR), declarations (CUSDEC) and the answers to them (CUSRES),
 * with default separators, one message an interchange. Function 1225: 9 original, 4 change, 1
 * cancel. */
#include "bench/form.h"

#define INTERCHANGE_START                                                                          \
    "UNA:+.? '\r\nUNB+UNOC:3+$station$:ZZ+GDCUSTOMS:ZZ+$time_edi$+$control$'\r\n"
#define INTERCHANGE_END "UNT+$segments$+1'\r\nUNZ+1+$control$'\r\n"
#define FUNCTIONS                                                                                  \
    VARIANTS_FUNCTION,                                                                             \
    {                                                                                              \
        "9", "4", "1"                                                                              \
    }

const struct form form_cuscar = {
    FUNCTIONS,
    true,
    8,
    INTERCHANGE_START
    "UNH+1+CUSCAR:D:95B:UN'\r\nBGM+85+$entry$+$variant$'\r\nDTM+137:$time$:204'\r\n"
    "NAD+MS+$code$:172'\r\nTDT+20+V$trader$+1++$code$:172++++MV PEARL RIVER'\r\n"
    "LOC+60+$locode$:139'\r\nRFF+ACE:$serial$'\r\n",
    "CNI+$line$+$bill$'\r\nRFF+BM:$bill$'\r\nLOC+9+SGSIN:139'\r\nLOC+11+$locode$:139'\r\n"
    "NAD+CZ+++STRAITS TRADING PTE:12 HARBOUR ROAD:SINGAPORE'\r\n"
    "NAD+CN+$trader$++PEARL DELTA IMPORT CO LTD:GUANGZHOU'\r\nGID+1+$weight$:CT'\r\n"
    "FTX+AAA+++MILK POWDER IN TINS?, 900 G?: NET ?+ LID'\r\nMEA+AAE+G+KGM:$amount$'\r\n"
    "SGP+$container$'\r\n",
    INTERCHANGE_END};

const struct form form_cusdec = {
    FUNCTIONS,
    true,
    8,
    INTERCHANGE_START
    "UNH+1+CUSDEC:D:96B:UN'\r\nBGM+929+$entry$+$variant$'\r\nCST++$mode$:117'\r\n"
    "LOC+14+$office$:164'\r\nLOC+11+$locode$:139'\r\nLOC+36+CN:162'\r\nDTM+137:$time$:204'\r\n"
    "RFF+ABE:$serial$'\r\nTDT+12++1'\r\nNAD+DT+$code$:172'\r\nNAD+IM+$trader$:172'\r\n"
    "MOA+39:$amount$:CNY'\r\nUNS+D'\r\n",
    "CST+$line$+$goods$:122'\r\nFTX+AAA+++FOOD PREPARATIONS?: INFANT FORMULA'\r\nLOC+27+NZ:162'\r\n"
    "MEA+AAR+AAB+KGM:$weight$'\r\nMOA+123:$amount$:CNY'\r\n",
    "UNS+S'\r\n" INTERCHANGE_END};

const struct form form_cusres = {
    VARIANTS_STATUS,
    {"963", "964", "965"},
    true,
    0,
    INTERCHANGE_START
    "UNH+1+CUSRES:D:96B:UN'\r\nBGM+$variant$+$entry$+11'\r\nDTM+137:$time$:204'\r\n"
    "LOC+22+$office$:164'\r\nRFF+ABT:$entry$'\r\nRFF+ABO:$answered_control$'\r\n"
    "FTX+AAO+++PROCESSED BY THE OFFICE OF DECLARATION'\r\n" INTERCHANGE_END,
    "",
    ""};
